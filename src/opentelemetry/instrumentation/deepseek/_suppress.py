"""The only place where errors of the instrumentation are suppressed."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from traceback import extract_tb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

_logger: Final = logging.getLogger(__name__)
_logged: Final[set[tuple[str, type[BaseException]]]] = set()


class suppress_errors(AbstractContextManager[None]):  # noqa: N801  # used like contextlib.suppress
    """Logs and suppresses an exception: telemetry is lost, the caller continues.

    Only an `Exception` is suppressed. A cancellation or Ctrl-C always propagates.

    Args:
        activity: what the block does, as a gerund: "reading a chunk".
    """

    __slots__ = ("_activity",)

    def __init__(self, activity: str) -> None:
        self._activity = activity

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        if kind is None or not isinstance(error, Exception):
            return False
        log_suppressed(self._activity, error)
        return True


def log_suppressed(activity: str, error: Exception) -> None:
    """Logs a suppressed error, once for each activity and type of error.

    Code where `suppress_errors` is too slow catches the error itself and calls this.
    The first failure is a warning with its place in the source. Later ones are not
    logged, so that a program with thousands of calls gets one line.
    """
    kind = type(error)
    if (activity, kind) in _logged:
        return
    _logged.add((activity, kind))
    # The message of the exception is not logged: it may quote content that the
    # application did not allow to be recorded.
    _logger.warning(
        "DeepSeek telemetry was lost: %s failed with %s at %s. "
        "Further failures of this kind are not logged.",
        activity,
        kind.__qualname__,
        "{0.filename}:{0.lineno}".format(extract_tb(error.__traceback__)[-1]),
    )
