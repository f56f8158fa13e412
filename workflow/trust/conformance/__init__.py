"""Are mistakes of a parameterization seen, and named, where they are known?"""
