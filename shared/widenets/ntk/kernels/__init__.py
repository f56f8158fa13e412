"""Infinite-width kernels of many inputs: in blocks within a bound of memory, or into a file."""

from widenets.ntk.kernels.blocks import kernel_in_blocks
from widenets.ntk.kernels.file import kernel_to_file

__all__ = ["kernel_in_blocks", "kernel_to_file"]
