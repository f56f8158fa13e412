"""What comes back for input that cannot be right?"""
