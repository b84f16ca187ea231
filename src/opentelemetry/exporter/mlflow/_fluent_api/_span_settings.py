"""What holds for single spans: not for MLflow, and the functions that process them.

The values are not attributes of the spans, because other exporters see these. They are
in a table by the ids of the spans, until nobody has the span any more.
"""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    SpanFunctions = Sequence[Callable[[Any], Any]]


@dataclass
class _Settings:
    """`references`: the live span, and the one that processors and exporters have."""

    is_excluded: bool = False
    functions: SpanFunctions | None = None
    references: int = 0


class SpanSettings:
    """The spans of this process. There is one instance."""

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], _Settings] = {}
        self._reset_lock()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            os.register_at_fork(after_in_child=self._reset_lock)

    def _reset_lock(self) -> None:
        # A garbage collection may release a span while this thread holds the lock.
        self._lock = threading.RLock()

    def exclude(self, span: ReadableSpan) -> None:
        """Do not export `span`, which starts, to MLflow."""
        self._hold(span).is_excluded = True

    def end(self, span: ReadableSpan, functions: SpanFunctions) -> None:
        """`functions` process the span, which has ended, before it is exported."""
        if functions or _key(span.context) in self._spans:
            self._hold(span).functions = functions

    @property
    def is_empty(self) -> bool:
        return not self._spans

    def is_excluded(self, context: SpanContext | None) -> bool:
        settings = self._spans.get(_key(context)) if self._spans else None
        return settings is not None and settings.is_excluded

    def functions(self, span: ReadableSpan) -> SpanFunctions | None:
        """None if the end of the span was not seen."""
        settings = self._spans.get(_key(span.context))
        return settings.functions if settings else None

    def _hold(self, span: ReadableSpan) -> _Settings:
        key = _key(span.context)
        with self._lock:
            settings = self._spans.setdefault(key, _Settings())
            settings.references += 1
        weakref.finalize(span, self._release, key).atexit = False
        return settings

    def _release(self, key: tuple[int, int]) -> None:
        with self._lock:
            settings = self._spans.get(key)
            if settings is not None:
                settings.references -= 1
                if not settings.references:
                    del self._spans[key]


def _key(context: SpanContext | None) -> tuple[int, int]:
    return (context.trace_id, context.span_id) if context else (0, 0)


span_settings: Final = SpanSettings()
