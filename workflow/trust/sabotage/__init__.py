"""Does the suite notice deliberate faults?"""
