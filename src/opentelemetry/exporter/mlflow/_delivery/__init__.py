"""Batches on their way to a destination, and the spans that were dropped."""
