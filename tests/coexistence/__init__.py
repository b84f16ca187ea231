"""Runs this package together with other instrumentations of the same calls."""
