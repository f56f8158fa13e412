"""What popular pages say that each part of an architecture does to the kernel, judged."""
