"""The worker; it also runs in environments without this package."""
