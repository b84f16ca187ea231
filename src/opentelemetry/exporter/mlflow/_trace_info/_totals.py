"""The totals of a trace: its tokens and its cost. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    SpanValue = tuple[Hashable, Hashable | None, str | None]

Json = dict[str, Any]


def total(spans: Iterable[SpanValue]) -> Json:
    """Return the sum over the spans that have a value.

    Each span is its id, that of its parent, and its value: a JSON object of numbers.
    The value of a span includes the values of the spans beneath it, which are skipped.
    """
    parents: dict[Hashable, Hashable | None] = {}
    values: dict[Hashable, Any] = {}
    for span_id, parent_id, text in spans:
        parents[span_id] = parent_id
        if text is not None:
            values[span_id] = json.loads(text)

    def is_included_above(span_id: Hashable) -> bool:
        ancestor = parents.get(span_id)
        for _ in parents:  # ends also if the ids make a circle
            if ancestor is None or ancestor in values:
                break
            ancestor = parents.get(ancestor)
        return ancestor in values

    result: Json = {}
    for span_id, numbers in values.items():
        if isinstance(numbers, dict) and not is_included_above(span_id):
            for key, number in cast("Json", numbers).items():
                if isinstance(number, (int, float)):
                    result[key] = result.get(key, 0) + number
    return result
