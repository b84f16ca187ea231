"""Typed access to parsed JSON."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def array_items(value: object) -> list[Any]:
    """Returns the items of an array, or an empty list for any other value."""
    return value if is_array(value) else []


def object_fields(value: object) -> dict[str, Any]:
    """Returns the fields of an object, or an empty dict for any other value."""
    return value if is_object(value) else {}
