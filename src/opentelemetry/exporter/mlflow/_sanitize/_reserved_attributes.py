"""Attributes that MLflow's server reads itself, and the values at which it fails.

At such a value it refuses the whole request, or stores a trace that it cannot return.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, cast

# In characters. If a value is longer, MLflow refuses the whole request, or drops the
# value silently.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/utils/trace_analytics.py
_MAX_LENGTHS: Final = {"session.id": 250, "user.id": 250, "mlflow.spanType": 500}
_MAX_TAG_LENGTH: Final = 4_096
_TAG_PREFIX: Final = "mlflow.traceTag."

# The span type in each convention that MLflow knows. The server looks the value up in a
# dict, and a list or an object is not hashable.
# https://github.com/mlflow/mlflow/tree/v3.17.2/mlflow/tracing/otel/translation
_SPAN_TYPE_ATTRIBUTES: Final = frozenset(
    {
        "ai.operationId",
        "gen_ai.operation.name",
        "langfuse.observation.type",
        "lmnr.span.type",
        "openinference.span.kind",
        "span.type",
        "traceloop.span.kind",
    }
)
# Objects of numbers.
_NUMBERS_ATTRIBUTES: Final = frozenset({"mlflow.llm.cost", "mlflow.chat.tokenUsage"})
RESERVED_ATTRIBUTES: Final = _SPAN_TYPE_ATTRIBUTES | _NUMBERS_ATTRIBUTES

# The server parses JSON, and JSON within a JSON string.
_JSON_LIST_OR_OBJECT: Final = re.compile(r'[\s"\\]*[\[{]')

# The form of nearly all costs. This match takes a fifth of the time of json.loads().
_NUMBER: Final = r"\d{1,9}(?:\.\d{1,20})?(?:e-\d\d)?"
_TYPICAL_COST: Final = re.compile(
    rf'{{"input_cost": {_NUMBER}, "output_cost": {_NUMBER}, "total_cost": {_NUMBER}}}'
)

# Exclusive. A database cannot store the sums of larger numbers.
NUMBER_LIMIT: Final = 2**53


def max_length(name: str) -> int | None:
    """The maximum length of the attribute in characters, or None if it has none."""
    if name.startswith(_TAG_PREFIX):
        return _MAX_TAG_LENGTH
    return _MAX_LENGTHS.get(name)


def is_unreadable(name: str, value: Any) -> bool:
    """Whether the server fails to read this attribute."""
    if name in _SPAN_TYPE_ATTRIBUTES:
        return not isinstance(value, str) or bool(_JSON_LIST_OR_OBJECT.match(value))
    return name in _NUMBERS_ATTRIBUTES and not _is_object_of_numbers(value)


def _is_object_of_numbers(value: Any) -> bool:
    if isinstance(value, str) and _TYPICAL_COST.fullmatch(value):
        return True
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except (RecursionError, ValueError):
        return False
    return isinstance(parsed, Mapping) and all(
        type(number) in (int, float) and isfinite(number) and abs(number) < NUMBER_LIMIT
        for number in cast("Mapping[str, Any]", parsed).values()
    )
