"""Validators for JSON values, with the error messages of DeepSeek's parser (serde).

A validator takes a value and its path in the body, and raises `MismatchError` if the
value has the wrong type. The functions in lower case are validators or return one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ._json import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

Path: TypeAlias = tuple["str | int", ...]
Validator: TypeAlias = Callable[[Any, Path], None]


@dataclass(eq=False)
class MismatchError(Exception):
    """A value of the wrong type, with its path in the body."""

    message: str
    path: Path
    status: int = 400


def _describe(value: Any) -> str:
    """Returns serde's description of an unexpected value."""
    if value is None:
        return "null"
    if is_array(value) or is_object(value):
        return "sequence" if is_array(value) else "map"
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return f"string {text}"
    type_names = {bool: "boolean", int: "integer", float: "floating point"}
    return f"{type_names[type(value)]} `{text}`"


def _wrong_type(value: Any, path: Path, expected: str) -> MismatchError:
    message = f"invalid type: {_describe(value)}, expected {expected}"
    return MismatchError(message, path)


def string(value: Any, path: Path) -> None:
    if not isinstance(value, str):
        raise _wrong_type(value, path, "a string")


def boolean(value: Any, path: Path) -> None:
    if not isinstance(value, bool):
        raise _wrong_type(value, path, "a boolean")


def number(value: Any, path: Path) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(value, path, "f32")


def anything(value: Any, path: Path) -> None:
    """Accepts every value: DeepSeek does not know the field or ignores it."""


def unsigned(bits: int) -> Validator:
    """Returns the validator of an unsigned integer with `bits` bits."""

    def validate(value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(value, path, f"u{bits}")
        if not 0 <= value < 2**bits:
            message = f"invalid value: integer `{value}`, expected u{bits}"
            raise MismatchError(message, path)

    return validate


def one_of(*names: str, expected: str = "string or map") -> Validator:
    """Returns the validator of an enum.

    `expected` is serde's description of the enum when the value is not a string.
    """
    quoted = ", ".join(f"`{name}`" for name in names)
    alternatives = quoted if len(names) == 1 else f"one of {quoted}"

    def validate(value: Any, path: Path) -> None:
        if is_object(value) and expected.endswith("map"):
            message = "invalid value: map, expected map with a single key"
            raise MismatchError(message, path)
        if not isinstance(value, str):
            raise _wrong_type(value, path, expected)
        if value not in names:
            message = f"unknown variant `{value}`, expected {alternatives}"
            raise MismatchError(message, path)

    return validate


def optional(validator: Validator) -> Validator:
    """Returns `validator`, but null is valid, as if the field were missing."""

    def validate(value: Any, path: Path) -> None:
        if value is not None:
            validator(value, path)

    return validate


def with_message_prefix(prefix: str, validator: Validator) -> Validator:
    """Returns `validator`, whose error messages start with `prefix`."""

    def validate(value: Any, path: Path) -> None:
        try:
            validator(value, path)
        except MismatchError as error:
            error.message = prefix + error.message
            raise

    return validate


def sequence(item_validator: Validator) -> Validator:
    """Returns the validator of an array."""

    def validate(value: Any, path: Path) -> None:
        if not is_array(value):
            raise _wrong_type(value, path, "a sequence")
        for index, item in enumerate(value):
            item_validator(item, (*path, index))

    return validate


def struct(
    name: str,
    required: Mapping[str, Validator],
    optional_fields: Mapping[str, Validator] | None = None,
) -> Validator:
    """Returns the validator of an object.

    Fields are checked in the order in which the body has them, as in serde.
    """
    validators = dict(required)
    for key, validator in (optional_fields or {}).items():
        validators[key] = optional(validator)

    def validate(value: Any, path: Path) -> None:
        if not is_object(value):
            raise _wrong_type(value, path, f"struct {name}")
        for key, item in value.items():
            validators.get(key, anything)(item, (*path, key))
        for key in required:
            if key not in value:
                raise MismatchError(f"missing field `{key}`", path)

    return validate


def tagged_union(name: str, tag: str, variants: Mapping[str, Validator]) -> Validator:
    """Returns the validator of an object whose field `tag` names its variant."""
    validate_tag = one_of(*variants, expected="variant identifier")

    def validate(value: Any, path: Path) -> None:
        if not is_object(value):
            raise _wrong_type(value, path, f"internally tagged enum {name}")
        if tag not in value:
            raise MismatchError(f"missing field `{tag}`", path)
        validate_tag(value[tag], (*path, tag))
        variants[value[tag]](value, path)

    return validate


def string_or(array_validator: Validator, message: str) -> Validator:
    """Returns the validator of a string or an array.

    `message` is the error for a value that is neither.
    """

    def validate(value: Any, path: Path) -> None:
        if isinstance(value, str):
            return
        if not is_array(value):
            raise MismatchError(message, path)
        array_validator(value, path)

    return validate
