"""A request that a client is about to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class SentRequest(NamedTuple):
    """A request; `model` is what the client knows of it without its body, or None."""

    address: str
    read_body: Callable[[], Mapping[str, Any]]
    read_headers: Callable[[], Mapping[str, Any]]
    model: str | None = None
