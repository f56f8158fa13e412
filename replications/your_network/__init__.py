"""Your own network: would it still hold if the features were frozen? Is my muP right, my kernel?"""
