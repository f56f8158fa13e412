"""How often is a verdict wrong, where the truth is known?"""
