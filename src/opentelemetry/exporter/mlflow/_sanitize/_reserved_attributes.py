"""Attributes that MLflow's server reads itself, and what it fails at in them.

With one that it cannot read it refuses the whole request, or stores what it cannot
give back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, cast

# Beyond these MLflow refuses a whole request, or drops the value without a word.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/utils/trace_analytics.py
_LONGEST: Final = {"session.id": 250, "user.id": 250, "mlflow.spanType": 500}
_LONGEST_TAG: Final = 4_096
_TAG: Final = "mlflow.traceTag."

# What each convention calls the type of a span; the server looks it up in a table, and
# a list or an object is no key.
# https://github.com/mlflow/mlflow/tree/v3.17.2/mlflow/tracing/otel/translation
_KINDS: Final = frozenset(
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
_NUMBERS: Final = frozenset({"mlflow.llm.cost", "mlflow.chat.tokenUsage"})
# It may be JSON, and that JSON again.
_NO_KEY: Final = re.compile(r'[\s"\\]*[\[{]')
# As nearly all are, and found out in a fifth of the time.
_NUMBER: Final = r"\d{1,9}(?:\.\d{1,20})?(?:e-\d\d)?"
_PLAIN_COST: Final = re.compile(
    rf'{{"input_cost": {_NUMBER}, "output_cost": {_NUMBER}, "total_cost": {_NUMBER}}}'
)
READ: Final = _KINDS | _NUMBERS
# Sums of larger ones are more than a database keeps.
MOST_TOKENS: Final = 2**53


def longest(name: str) -> int | None:
    if name.startswith(_TAG):
        return _LONGEST_TAG
    return _LONGEST.get(name)


def is_unreadable(name: str, value: Any) -> bool:
    """Whether the server fails at this attribute."""
    if name in _KINDS:
        return not isinstance(value, str) or bool(_NO_KEY.match(value))
    return name in _NUMBERS and not _are_numbers(value)


def _are_numbers(value: Any) -> bool:
    if isinstance(value, str) and _PLAIN_COST.fullmatch(value):
        return True
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except (RecursionError, ValueError):
        return False
    return isinstance(read, Mapping) and all(
        type(one) in (int, float) and isfinite(one) and abs(one) < MOST_TOKENS
        for one in cast("Mapping[str, Any]", read).values()
    )
