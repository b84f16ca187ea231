"""The exporters of the process, and the places that they write to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace.export import SpanExporter


class Destination(Protocol):
    """What the bridge needs of the destination of an exporter."""

    @property
    def wants_whole_traces(self) -> bool: ...
    def has_tracking_uri(self, tracking_uri: str) -> bool:
        """Whether MLflow's client, with this tracking URI, writes to the same place."""
        ...


class Exporters:
    """Does not keep an exporter alive."""

    def __init__(self) -> None:
        self._destinations: WeakKeyDictionary[SpanExporter, Destination] = (
            WeakKeyDictionary()
        )

    def __len__(self) -> int:
        return len(self._destinations)

    def __iter__(self) -> Iterator[SpanExporter]:
        return iter(list(self._destinations))

    def add(self, exporter: SpanExporter, destination: Destination) -> None:
        self._destinations[exporter] = destination

    def clear(self) -> None:
        self._destinations.clear()

    def write_to(self, tracking_uri: str) -> bool:
        return bool(self._with_tracking_uri(tracking_uri))

    def replace_traces_at(self, tracking_uri: str) -> bool:
        """Whether they replace there what MLflow's client writes, or duplicate it."""
        return tracking_uri.startswith("databricks") or any(
            destination.wants_whole_traces
            for destination in self._with_tracking_uri(tracking_uri)
        )

    def _with_tracking_uri(self, tracking_uri: str) -> list[Destination]:
        return [
            destination
            for destination in list(self._destinations.values())
            if destination.has_tracking_uri(tracking_uri)
        ]
