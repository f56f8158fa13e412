"""What does a disturbed run lose?"""
