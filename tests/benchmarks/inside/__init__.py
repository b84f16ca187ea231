"""What runs in an environment where perhaps only a peer is installed."""
