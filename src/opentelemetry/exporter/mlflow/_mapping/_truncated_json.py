"""Reads JSON that the SDK has cut to its limit for the length of attributes.

https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from opentelemetry.exporter.mlflow._missing_package import require_extra

_CLOSING_BRACKETS = {"{": "}", "[": "]"}


def decode_truncated(text: str) -> Any:
    """Return the value of the complete part of a JSON text.

    Its last string ends with an ellipsis. Raises ValueError if the text is not the
    beginning of JSON.
    """
    with require_extra("mlflow", "Reading JSON that was cut to a limit"):
        import jiter  # rarely needed

    value = jiter.from_json(
        text.encode(errors="replace"), partial_mode="trailing-strings"
    )
    return _with_ellipsis(value)


def complete_json(value: Any) -> Any:
    """Return the complete part of a JSON object or list that was cut.

    Returns None for any other value. The brackets decide, because it would take long to
    parse the JSON of every attribute.
    """
    if (
        isinstance(value, str)
        and (closing_bracket := _CLOSING_BRACKETS.get(value[:1]))
        and not value.rstrip().endswith(closing_bracket)
    ):
        with suppress(ValueError):
            return decode_truncated(value)
    return None


def _with_ellipsis(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value}…"
    if isinstance(value, (dict, list)) and value:
        container = cast("Any", value)
        last = next(reversed(container)) if isinstance(value, dict) else -1
        container[last] = _with_ellipsis(container[last])
    return value  # pyright: ignore[reportUnknownVariableType]  # JSON of any type
