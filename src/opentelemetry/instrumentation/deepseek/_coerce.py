"""Converts values of callers and servers into values that telemetry can hold.

The `as_…` functions return None if a value has no such form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

# Tested with `in`: after `is dict`, a type checker infers a dict of unknown types.
DICT_TYPE: Final[frozenset[type]] = frozenset({dict})

EMPTY: Final[Mapping[str, Any]] = {}


def field_of(value: Any, name: str) -> Any:
    """Returns a field of a dictionary or of an SDK object; callers send both."""
    # The first check covers the usual case and is ten times as fast as the second.
    if type(value) in DICT_TYPE or isinstance(value, Mapping):
        return cast("Any", value).get(name)
    return getattr(value, name, None)


def field_reader(value: Any) -> Callable[[str], Any]:
    """Returns `field_of` bound to `value`, to read many fields."""
    return value.get if type(value) in DICT_TYPE else partial(field_of, value)


def declared_fields_of(value: Any) -> Mapping[str, Any]:
    """Returns the fields that the SDK declares, or all fields of a dictionary."""
    fields: Mapping[str, Any] = value if type(value) in DICT_TYPE else value.__dict__
    return fields


def fields_of(value: Any) -> Mapping[str, Any]:
    """Returns all fields of an object that the SDK has parsed, declared or not.

    This is faster than to ask a pydantic object for fields that it may not have.
    """
    if type(value) in DICT_TYPE:
        return cast("dict[str, Any]", value)
    declared: Mapping[str, Any] = getattr(value, "__dict__", None) or EMPTY
    extra: Mapping[str, Any] | None = getattr(value, "__pydantic_extra__", None)
    return {**declared, **extra} if extra else declared


def items_of(value: object) -> Sequence[Any]:
    """Returns the items of a list.

    An iterator has none here, because only the SDK may consume it.
    """
    if type(value) is list:  # the usual case; this check is ten times as fast
        return value  # pyright: ignore[reportUnknownVariableType]  # items of any type
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value  # pyright: ignore[reportUnknownVariableType]  # items of any type
    return ()


def omit_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def join_surrogates(text: str) -> str:
    """Joins pairs of surrogates to characters.

    JSON may escape a character as two surrogates, and a stream may cut between them.
    """
    utf16 = text.encode("utf-16-le", "surrogatepass")
    return utf16.decode("utf-16-le", "surrogatepass")


def as_text(value: object) -> str | None:
    """Returns a string that OTLP can encode.

    A lone surrogate has no UTF-8 form, and one such string fails a whole batch.
    """
    if type(value) is str and value.isascii():  # the usual case
        return value
    if not isinstance(value, str):
        return None
    # The value that JSON sends: str() of an enum member returns the member's name.
    value = str.__str__(value)
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return join_surrogates(value).encode(errors="replace").decode()
    return value


def as_int(value: object) -> int | None:
    """Returns an integer that OTLP can encode: at most 64 bits, and not a bool.

    A gateway may send an integer as a float, such as 4.0.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    value = int.__int__(value)
    return value if -(2**63) <= value < 2**63 else None


def as_count(value: object) -> int | None:
    """Returns an integer of at least 0.

    The SDK rejects a negative measurement, and logs a warning for each.
    """
    # The usual case, which is three times as fast.
    if type(value) is int and 0 <= value < 2**63:
        return value
    number = as_int(value)
    return None if number is None or number < 0 else number


def as_float(value: object) -> float | None:
    if isinstance(value, float):
        return float.__float__(value)
    return None if (number := as_int(value)) is None else float(number)


def as_any_value(value: Any) -> Any:
    """Returns JSON in which OTLP can encode every string and number.

    `AnyValue` is OpenTelemetry's name for the nested values of log records.
    """
    match value:
        case str():
            return as_text(value)
        case bool() | float() | bytes() | None:
            return value
        case int():
            return value if as_int(value) is not None else str(value)
        case Mapping():
            return {
                as_text(name): as_any_value(item)
                for name, item in cast("Mapping[str, Any]", value).items()
            }
        case _:
            return [as_any_value(item) for item in value]
