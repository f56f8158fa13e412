"""Bordelon & Pehlevan 2022 and others: the infinite-width limit with feature learning."""
