"""Stands for a module of shared/ntk."""


def noise(generator, count):
    return generator.standard_normal(count)
