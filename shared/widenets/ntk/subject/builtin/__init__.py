"""Subjects whose right answer is known: twenty lines each, the same as a reader writes."""
