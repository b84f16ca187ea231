"""What this package and other instrumentations record of the same calls."""
