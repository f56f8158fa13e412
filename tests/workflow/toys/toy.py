"""Stands for a module of shared/widenets/ntk."""


def noise(generator, count):
    return generator.standard_normal(count)
