"""Delivers translated spans to a destination, and counts those that are dropped."""
