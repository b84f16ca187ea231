"""What of a caller's or a server's value can stand in telemetry; else None."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

# Asked with `in`: after `is`, a type checker knows of nothing but unknowns in it.
DICT: Final[frozenset[type]] = frozenset({dict})

NOTHING: Final[Mapping[str, Any]] = {}


def member(thing: Any, name: str) -> Any:
    """A field of a message: callers send dictionaries and the SDK's objects alike."""
    # The first is the usual, and ten times as fast to tell.
    if type(thing) in DICT or isinstance(thing, Mapping):
        return cast("Any", thing).get(name)
    return getattr(thing, name, None)


def reader(thing: Any) -> Callable[[str], Any]:
    """`member` of one thing, for many names."""
    return thing.get if type(thing) in DICT else partial(member, thing)


def fields(thing: Any) -> Mapping[str, Any]:
    """Whatever an object that the SDK has parsed holds, declared or not.

    Faster than to ask a pydantic object for what it may not have.
    """
    if type(thing) in DICT:
        return cast("dict[str, Any]", thing)
    declared: Mapping[str, Any] = getattr(thing, "__dict__", None) or NOTHING
    more: Mapping[str, Any] | None = getattr(thing, "__pydantic_extra__", None)
    return {**declared, **more} if more else declared


def text(value: object) -> str | None:
    """A string that OTLP can carry: a lone surrogate is no UTF-8, and sinks a batch."""
    if not isinstance(value, str):
        return None
    # As JSON sends it: one of an enum would format as its member's name.
    value = str.__str__(value)
    return value if value.isascii() else value.encode(errors="replace").decode()


def whole(value: object) -> int | None:
    """An integer that OTLP can carry: 64 bits, and a truth is not a number."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    value = int.__int__(value)
    return value if -(2**63) <= value < 2**63 else None


def count(value: object) -> int | None:
    """How many: a metric of a number below 0 is refused, with a warning each."""
    number = whole(value)
    return None if number is None or number < 0 else number


def real(value: object) -> float | None:
    if isinstance(value, float):
        return float.__float__(value)
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
