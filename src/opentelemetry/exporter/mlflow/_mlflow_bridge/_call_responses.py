"""Remembers the responses of DeepSeek calls, to find them in spans of autolog.

Autolog of the `openai` SDK does not make its span the current one. The span of a call
is beside it, or in another trace, and only the response of the two is the same.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._mapping import SPAN_OUTPUTS
from opentelemetry.exporter.mlflow._trace_info._call_costs import is_deepseek_call

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_MAX_RESPONSES = 10_000


class CallResponses:
    """The ids of the last responses. There is one instance for each process."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, span: ReadableSpan) -> None:
        """Remember the response if the span, which has ended, is that of a call."""
        if is_deepseek_call(span):
            response_id = (span.attributes or {}).get("gen_ai.response.id")
            if isinstance(response_id, str):
                self._ids[response_id] = None
                if len(self._ids) > _MAX_RESPONSES:
                    self._ids.popitem(last=False)

    def has_response_of(self, span: ReadableSpan) -> bool:
        """Whether the outputs of a fluent span are a response of DeepSeek."""
        if not self._ids:
            return False
        try:
            response: Any = json.loads((span.attributes or {})[SPAN_OUTPUTS])  # type: ignore[arg-type]  # TypeError if it is no text
            return response["id"] in self._ids
        except (KeyError, RecursionError, TypeError, ValueError):
            return False


call_responses = CallResponses()
