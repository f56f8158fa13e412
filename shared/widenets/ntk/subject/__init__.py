"""A network of the reader's own on the stand: what its file holds (`contract`), whether it can be
measured (`examination`), the same network with frozen features (`frozen`). Files that do it right,
or wrong on purpose, are in `builtin`.
"""
