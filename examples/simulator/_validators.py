"""What a body may hold, field by field, in the words of DeepSeek's parser (serde)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ._json import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

Path: TypeAlias = tuple["str | int", ...]
Check: TypeAlias = Callable[[Any, Path], None]


@dataclass(eq=False)
class MismatchError(Exception):
    """A value of the wrong type, and where in the body it stands."""

    message: str
    path: Path
    of_options: bool = False  # the one mistake that is a 422


def _unexpected(value: Any) -> str:
    if value is None:
        return "null"
    if is_array(value) or is_object(value):
        return "sequence" if is_array(value) else "map"
    shown = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return f"string {shown}"
    names = {bool: "boolean", int: "integer", float: "floating point"}
    return f"{names[type(value)]} `{shown}`"


def _wrong_type(value: Any, path: Path, expected: str) -> MismatchError:
    message = f"invalid type: {_unexpected(value)}, expected {expected}"
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
    """No check: the field is not DeepSeek's, or means nothing to it."""


def unsigned(bits: int) -> Check:
    def check(value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(value, path, f"u{bits}")
        if not 0 <= value < 2**bits:
            message = f"invalid value: integer `{value}`, expected u{bits}"
            raise MismatchError(message, path)

    return check


def one_of(*names: str, expected: str = "string or map") -> Check:
    """A name of an enum. `expected` are serde's words for what is no string."""
    quoted = ", ".join(f"`{name}`" for name in names)
    among = quoted if len(names) == 1 else f"one of {quoted}"

    def check(value: Any, path: Path) -> None:
        if is_object(value) and expected.endswith("map"):
            message = "invalid value: map, expected map with a single key"
            raise MismatchError(message, path)
        if not isinstance(value, str):
            raise _wrong_type(value, path, expected)
        if value not in names:
            raise MismatchError(f"unknown variant `{value}`, expected {among}", path)

    return check


def maybe(check: Check) -> Check:
    """The field may be null, as if it were not there."""

    def check_unless_null(value: Any, path: Path) -> None:
        if value is not None:
            check(value, path)

    return check_unless_null


def introduced(words: str, check: Check) -> Check:
    """`check`, whose complaints begin with `words`."""

    def reworded(value: Any, path: Path) -> None:
        try:
            check(value, path)
        except MismatchError as mismatch:
            mismatch.message = words + mismatch.message
            raise

    return reworded


def sequence(check: Check) -> Check:
    def check_each(value: Any, path: Path) -> None:
        if not is_array(value):
            raise _wrong_type(value, path, "a sequence")
        for index, item in enumerate(value):
            check(item, (*path, index))

    return check_each


def struct(
    name: str, needed: Mapping[str, Check], others: Mapping[str, Check] | None = None
) -> Check:
    """An object. Fields are checked in the order of the body, as serde does."""
    known = {**needed, **{key: maybe(check) for key, check in (others or {}).items()}}

    def check(value: Any, path: Path) -> None:
        if not is_object(value):
            raise _wrong_type(value, path, f"struct {name}")
        for key, item in value.items():
            known.get(key, anything)(item, (*path, key))
        for key in needed:
            if key not in value:
                raise MismatchError(f"missing field `{key}`", path)

    return check


def tagged(name: str, tag: str, variants: Mapping[str, Check]) -> Check:
    """An object whose field `tag` says which of the variants it is."""
    variant = one_of(*variants, expected="variant identifier")

    def check(value: Any, path: Path) -> None:
        if not is_object(value):
            raise _wrong_type(value, path, f"internally tagged enum {name}")
        if tag not in value:
            raise MismatchError(f"missing field `{tag}`", path)
        variant(value[tag], (*path, tag))
        variants[value[tag]](value, path)

    return check


def text_or(each: Check, expected: str) -> Check:
    """A string or a list."""

    def check(value: Any, path: Path) -> None:
        if isinstance(value, str):
            return
        if not is_array(value):
            raise MismatchError(expected, path)
        each(value, path)

    return check
