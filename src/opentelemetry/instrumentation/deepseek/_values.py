"""What of a caller's or a server's value can stand in telemetry; else None."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def member(thing: object, name: str) -> Any:
    """A field of a message: callers send dictionaries and the SDK's objects alike."""
    if isinstance(thing, Mapping):
        return cast("Mapping[str, Any]", thing).get(name)
    return getattr(thing, name, None)


def text(value: object) -> str | None:
    """A string that OTLP can carry: a lone surrogate is no UTF-8, and sinks a batch."""
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode(errors="replace").decode()


def whole(value: object) -> int | None:
    """An integer that OTLP can carry: 64 bits, and a truth is not a number."""
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and -(2**63) <= value < 2**63
    ):
        return value
    return None


def real(value: object) -> float | None:
    if isinstance(value, float):
        return value
    return None if (number := whole(value)) is None else float(number)


def fit(value: Any) -> Any:
    """JSON in which every string and number is one that OTLP can carry."""
    match value:
        case str():
            return text(value)
        case bool() | float() | bytes() | None:
            return value
        case int():
            return value if whole(value) is not None else str(value)
        case Mapping():
            return {
                text(name): fit(said)
                for name, said in cast("Mapping[str, Any]", value).items()
            }
        case _:
            return [fit(said) for said in value]
