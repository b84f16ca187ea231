"""What was said in model calls, between the completion hook and the exporters.

The hook gives it with the span; the exporters find it by the ids of the span, which is
the same to them whatever comes first.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.mlflow._replace_span import replace_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# What may wait: content until its span is exported, in calls and in bytes; and spans,
# which came first, for their content.
_MOST_CALLS: Final = 2_000
_MOST_BYTES: Final = 64 * 2**20
_MOST_SPANS: Final = 512

_OPERATION = "gen_ai.operation.name"

Key = tuple[int, int]


@dataclass
class _Content:
    attributes: Mapping[str, str]
    size: int
    given_to: weakref.WeakSet[ContentJoiner] = field(
        default_factory=weakref.WeakSet["ContentJoiner"]
    )


class PendingContent:
    """One for the process; `dropped` counts calls whose content was not exported."""

    def __init__(self) -> None:
        self.is_used = False
        self.exporters: weakref.WeakSet[ContentJoiner] = weakref.WeakSet()
        self.forget()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            # What the parent process holds the parent exports.
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        # A handler of the log may end a span, and export it here and now.
        self._lock = threading.RLock()
        self._calls: OrderedDict[Key, _Content] = OrderedDict()
        self._bytes = 0
        self.dropped = 0

    def keep(self, key: Key, attributes: Mapping[str, str]) -> None:
        size = sum(map(sys.getsizeof, attributes.values()))
        with self._lock:
            self._drop(key)
            self._calls[key] = _Content(attributes, size)
            self._bytes += size
            while len(self._calls) > _MOST_CALLS or self._bytes > _MOST_BYTES:
                oldest = next(iter(self._calls))
                self._drop(oldest)
                self._note()

    def given(self, key: Key, to: ContentJoiner) -> Mapping[str, str] | None:
        """The content, until every exporter has it."""
        with self._lock:
            content = self._calls.get(key)
            if content is None or to in content.given_to:
                return None
            content.given_to.add(to)
            if len(content.given_to) >= len(self.exporters):
                self._drop(key)
            return content.attributes

    def _drop(self, key: Key) -> None:
        if content := self._calls.pop(key, None):
            self._bytes -= content.size

    def _note(self) -> None:
        self.dropped += 1
        if self.dropped == 1:
            _logger.warning(
                "Message content does not reach MLflow: that of more than %d calls, or "
                "%d MiB, waits for its spans, and the oldest is dropped. Is there an "
                "MlflowSpanExporter on the tracer provider, and does it get these "
                "spans? (This is said once; PendingContent.dropped counts.)",
                _MOST_CALLS,
                _MOST_BYTES // 2**20,
            )


pending_content: Final = PendingContent()


class ContentJoiner:
    """Content joins its spans, for one exporter."""

    def __init__(self) -> None:
        pending_content.exporters.add(self)
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Key, ReadableSpan] = OrderedDict()

    def close(self) -> None:
        pending_content.exporters.discard(self)

    def joined(self, spans: Sequence[ReadableSpan]) -> Sequence[ReadableSpan]:
        """`spans`, copies where there is content; and those that waited for it.

        MLflow keeps of a span what came last.
        """
        if not pending_content.is_used:
            return spans
        with self._lock:
            late = [
                _with(span, content)
                for key, span in list(self._waiting.items())
                if (content := pending_content.given(key, self))
                and self._waiting.pop(key)
            ]
            return [*map(self._join, spans), *late]

    def _join(self, span: ReadableSpan) -> ReadableSpan:
        context = span.context
        if not context:
            return span
        key = (context.trace_id, context.span_id)
        if content := pending_content.given(key, self):
            return _with(span, content)
        if span.attributes and _OPERATION in span.attributes:
            self._waiting[key] = span
            if len(self._waiting) > _MOST_SPANS:
                self._waiting.popitem(last=False)
        return span


def _with(span: ReadableSpan, content: Mapping[str, str]) -> ReadableSpan:
    # What stands on the span was put there for everybody, and goes first.
    return replace_span(span, attributes={**content, **(span.attributes or {})})
