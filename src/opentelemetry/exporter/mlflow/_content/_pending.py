"""Content of model calls that waits for its span, and spans that wait for content.

The completion hook and MLflow's autolog add the content. Each exporter adds it to the
span with the same ids. That of the hook may come after the span.
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

# Limits of the content that waits for its span.
_MAX_CALLS: Final = 2_000
_MAX_BYTES: Final = 64 * 2**20
# Limit of the spans that wait for their content, for each exporter.
_MAX_SPANS: Final = 512

_OPERATION_NAME = "gen_ai.operation.name"

SpanKey = tuple[int, int]
"""Trace id and span id."""


@dataclass
class _Content:
    attributes: Mapping[str, str]
    size: int
    taken_by: weakref.WeakSet[ContentJoiner] = field(
        default_factory=weakref.WeakSet["ContentJoiner"]
    )


class PendingContent:
    """The content of this process.

    `has_hook`: content may come after its span. `dropped_calls` counts calls without
    their span.
    """

    def __init__(self) -> None:
        self.has_hook = False
        self.joiners: weakref.WeakSet[ContentJoiner] = weakref.WeakSet()
        self.after_fork()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            os.register_at_fork(after_in_child=self.after_fork)

    def after_fork(self) -> None:
        """Forget the parent's content in a forked child: the parent exports it."""
        # A log handler may end a span that is exported at once, in the same thread.
        # The lock must be reentrant.
        self._lock = threading.RLock()
        self._content: OrderedDict[SpanKey, _Content] = OrderedDict()
        self._bytes = 0
        self.dropped_calls = 0

    def add(self, key: SpanKey, attributes: Mapping[str, str]) -> None:
        size = sum(map(sys.getsizeof, attributes.values()))
        with self._lock:
            self._remove(key)
            self._content[key] = _Content(attributes, size)
            self._bytes += size
            while len(self._content) > _MAX_CALLS or self._bytes > _MAX_BYTES:
                oldest = next(iter(self._content))
                self._remove(oldest)
                self._count_dropped_call()

    def add_default(self, key: SpanKey, attributes: Mapping[str, str]) -> None:
        """Add the content if there is none for the span."""
        with self._lock:
            if key not in self._content:
                self.add(key, attributes)

    @property
    def is_empty(self) -> bool:
        return not self._content

    def take(self, key: SpanKey, joiner: ContentJoiner) -> Mapping[str, str] | None:
        """Return the content once to each joiner. The last one removes it."""
        with self._lock:
            content = self._content.get(key)
            if content is None or joiner in content.taken_by:
                return None
            content.taken_by.add(joiner)
            if len(content.taken_by) >= len(self.joiners):
                self._remove(key)
            return content.attributes

    def _remove(self, key: SpanKey) -> None:
        if content := self._content.pop(key, None):
            self._bytes -= content.size

    def _count_dropped_call(self) -> None:
        self.dropped_calls += 1
        if self.dropped_calls == 1:
            _logger.warning(
                "Message content of more than %d calls or %d MiB waits for its spans. "
                "The oldest content is dropped, and does not reach MLflow. Check that "
                "the tracer provider has an MlflowSpanExporter that receives these "
                "spans. This is logged once; PendingContent.dropped_calls has the "
                "count.",
                _MAX_CALLS,
                _MAX_BYTES // 2**20,
            )


pending_content: Final = PendingContent()


class ContentJoiner:
    """Adds pending content to the spans of one exporter."""

    def __init__(self) -> None:
        pending_content.joiners.add(self)
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the parent's spans in a forked child: the parent exports them."""
        self._lock = threading.RLock()
        self._waiting_spans: OrderedDict[SpanKey, ReadableSpan] = OrderedDict()

    def close(self) -> None:
        pending_content.joiners.discard(self)

    def join(self, spans: Sequence[ReadableSpan]) -> Sequence[ReadableSpan]:
        """Return `spans`, with copies of those that have content.

        Earlier spans whose content has come since are appended, with their content.
        They are sent a second time, and MLflow stores the last version of a span.
        """
        if pending_content.is_empty and not pending_content.has_hook:
            return spans
        with self._lock:
            late_spans = [
                _with_content(span, content)
                for key, span in list(self._waiting_spans.items())
                if (content := pending_content.take(key, self))
                and self._waiting_spans.pop(key)
            ]
            return [*map(self._join, spans), *late_spans]

    def _join(self, span: ReadableSpan) -> ReadableSpan:
        context = span.context
        if not context:
            return span
        key = (context.trace_id, context.span_id)
        if content := pending_content.take(key, self):
            return _with_content(span, content)
        if (
            pending_content.has_hook
            and span.attributes
            and _OPERATION_NAME in span.attributes
        ):
            self._waiting_spans[key] = span
            if len(self._waiting_spans) > _MAX_SPANS:
                self._waiting_spans.popitem(last=False)
        return span


def _with_content(span: ReadableSpan, content: Mapping[str, str]) -> ReadableSpan:
    # Content on the span itself was recorded for all exporters, and takes precedence.
    copy = replace_span(span, attributes={**content, **(span.attributes or {})})
    # What is known of the original by its ids is known until it is released.
    weakref.finalize(copy, id, span).atexit = False
    return copy
