"""A command that checks the settings, the destination and the spool."""
