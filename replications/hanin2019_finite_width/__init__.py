"""Hanin & Nica 2019 and its neighbours: corrections to the tangent kernel at finite width."""
