"""The process and its machine: locks, memory, clocks, progress, and what a terminal shows."""
