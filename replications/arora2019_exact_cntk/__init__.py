"""Arora, Du, Hu, Li, Salakhutdinov & Wang 2019: exact kernels of convolutional networks (CNTK)."""
