"""Text that grows by pieces."""

from __future__ import annotations


class Text:
    """Holds little but the text, where a list would hold an object for each piece.

    Not an `io.StringIO`: in a cycle the collector closes that before a dropped stream,
    in its `__del__`, can read it.
    """

    __slots__ = ("_utf8",)

    def __init__(self) -> None:
        self._utf8 = bytearray()

    def write(self, piece: str) -> None:
        self._utf8 += piece.encode("utf-8", "surrogatepass")

    def getvalue(self) -> str:
        return self._utf8.decode("utf-8", "surrogatepass")
