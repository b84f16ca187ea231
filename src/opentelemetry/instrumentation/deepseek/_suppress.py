"""The only place where an exception of ours is swallowed."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from traceback import extract_tb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

_logger: Final = logging.getLogger(__name__)
_told: Final[set[tuple[str, type[BaseException]]]] = set()


class quietly(AbstractContextManager[None]):  # noqa: N801  # reads as a statement
    """Let the caller go on when `doing` something fails: telemetry is lost, not calls.

    Exceptions that are not an `Exception` (a cancellation, Ctrl-C) are never ours to
    swallow.
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        if kind is None or not isinstance(error, Exception):
            return False
        lost(self._doing, error)
        return True


def lost(doing: str, error: Exception) -> None:
    """Say that telemetry was, for who swallows `error` where `quietly` is too slow.

    The first failure of a kind is a warning with its place, later ones are not
    told: a program that calls DeepSeek a thousand times wants to know once.
    """
    kind = type(error)
    if (doing, kind) in _told:
        return
    _told.add((doing, kind))
    # Not what the exception says: it may quote what the caller asked us not to record.
    _logger.warning(
        "Lost DeepSeek telemetry while %s: %s in %s (told once)",
        doing,
        kind.__qualname__,
        "{0.filename}:{0.lineno}".format(extract_tb(error.__traceback__)[-1]),
    )
