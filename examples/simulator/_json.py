"""Looking into JSON, with types."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def items(value: object) -> list[Any]:
    """The items of an array; none if there is no array."""
    return value if is_array(value) else []


def fields(value: object) -> dict[str, Any]:
    """The fields of an object; none if there is no object."""
    return value if is_object(value) else {}
