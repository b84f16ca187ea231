"""Streams and raw responses that another package wraps, too: `tox -e stream-wrappers`.

The packages are in an environment of their own, because some of them instrument every
program that they are installed beside.
"""
