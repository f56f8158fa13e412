"""Bordelon, Canatar & Pehlevan (2020): learning curves from the spectrum."""
