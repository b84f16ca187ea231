"""Calls of DeepSeek that MLflow's autolog records too, as fluent spans."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.exporter.mlflow._mapping import SPAN_TYPE
from opentelemetry.exporter.mlflow._mlflow_bridge._call_responses import (
    call_responses,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import FluentSpan
from opentelemetry.exporter.mlflow._trace_info._call_costs import (
    has_usage,
    is_deepseek_call,
)
from opentelemetry.exporter.mlflow._trace_info._trace_data import USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_MODEL_CALL_TYPES = ("CHAT_MODEL", "LLM")
# Autolog sets it, and a user's `@mlflow.trace` does not.
_MESSAGE_FORMAT = "mlflow.message.format"


class _Item(Protocol):
    """A span of a batch, with its attributes for MLflow."""

    @property
    def span(self) -> ReadableSpan: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    @property
    def cost(self) -> CallCost | None: ...
    @property
    def trace_id(self) -> int: ...
    @property
    def span_id(self) -> int: ...
    @property
    def parent_id(self) -> int | None: ...


class RepeatedCalls:
    """Finds the calls in batches. There is one instance for each process."""

    def __init__(self) -> None:
        self._has_warned = False

    def count_once(self, batch: Sequence[_Item]) -> None:
        """Count a call that autolog records, too, once; warn once.

        Autolog's span beneath the span of the call gets its cost, and a span beside it
        loses its tokens. The translation of the batch gives the spans around a call its
        cost.
        """
        fluent_items = [item for item in batch if isinstance(item.span, FluentSpan)]
        if not fluent_items:
            return
        items = {(item.trace_id, item.span_id): item for item in batch}
        enclosing_items: set[int] = set()
        for item in batch:
            if is_deepseek_call(item.span):
                ancestors = list(_ancestors(item, items))
                enclosing_items.update(map(id, ancestors))
                if ancestors and _is_of_autolog(ancestors[0]):
                    self._warn_once(ancestors[0].span.name)
        for item in fluent_items:
            if id(item) not in enclosing_items and has_usage(item.attributes):
                self._count_fluent_call_once(item, _ancestors(item, items))

    def _count_fluent_call_once(self, item: _Item, ancestors: Iterator[_Item]) -> None:
        call = next((i for i in ancestors if is_deepseek_call(i.span)), None)
        if call is not None:
            if call.cost is not None:
                call.cost.write_to(item.attributes)
        elif call_responses.has_response_of(item.span):
            # MLflow computes no cost without tokens.
            item.attributes.pop(USAGE, None)
        else:
            return
        if _is_of_autolog(item):
            self._warn_once(item.span.name)

    def _warn_once(self, name: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            _logger.warning(
                "Calls of DeepSeek are recorded twice: by this package "
                "(opentelemetry-instrumentation-deepseek), and by MLflow's autolog, as "
                "span %r. MLflow counts tokens and cost once. To have one span for a "
                "call, remove mlflow.autolog(), mlflow.openai.autolog() or "
                "mlflow.langchain.autolog() from the program, or switch this package "
                "off with OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=deepseek. This is "
                "logged once.",
                name,
            )


repeated_calls = RepeatedCalls()


def _is_of_autolog(item: _Item) -> bool:
    return (
        isinstance(item.span, FluentSpan)
        and item.attributes.get(SPAN_TYPE) in _MODEL_CALL_TYPES
        and _MESSAGE_FORMAT in item.attributes
    )


def _ancestors(item: _Item, items: Mapping[tuple[int, int], _Item]) -> Iterator[_Item]:
    for _ in items:  # ends also if the ids make a circle
        parent = items.get((item.trace_id, item.parent_id or 0))
        if parent is None:
            return
        yield parent
        item = parent
