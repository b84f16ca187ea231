"""A buffer for text that arrives in pieces."""

from __future__ import annotations

from ._coerce import join_surrogates


class TextBuffer:
    """Holds text as UTF-8 bytes; a list would hold one object for each piece.

    It is not an `io.StringIO`: the garbage collector closes a StringIO in a reference
    cycle before the `__del__` of a dropped stream can read it.
    """

    __slots__ = ("_utf8",)

    def __init__(self) -> None:
        self._utf8 = bytearray()

    def write(self, piece: str) -> None:
        self._utf8 += piece.encode("utf-8", "surrogatepass")

    def getvalue(self) -> str:
        try:
            return self._utf8.decode()
        except UnicodeDecodeError:
            return join_surrogates(self._utf8.decode("utf-8", "surrogatepass"))
