"""Finds the tracer providers of exporters, and adds a ProgramProcessor to each.

An exporter does not know its provider, which may never become the global one. The
provider learns of it through `add_span_processor`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from opentelemetry.sdk.trace import TracerProvider
from wrapt import patch_function_wrapper

from opentelemetry import trace
from opentelemetry.exporter.mlflow._mlflow_bridge._program_processor import (
    ProgramProcessor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace.export import SpanExporter

_providers: Final[WeakSet[TracerProvider]] = WeakSet()
_lock: Final = threading.RLock()


def watch_providers(exporter_class: type[SpanExporter]) -> None:
    """Add the processor before the one that has an exporter of this class.

    It then sees the end of a span before a SimpleSpanProcessor exports the span. Call
    this function once.
    """

    def add_span_processor(
        wrapped: Callable[..., Any],
        provider: TracerProvider,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        processor = args[0] if args else kwargs.get("span_processor")
        # A public attribute of the SDK's processors.
        if isinstance(getattr(processor, "span_exporter", None), exporter_class):
            _attach(provider)
        return wrapped(*args, **kwargs)

    patch_function_wrapper(TracerProvider, "add_span_processor")(add_span_processor)


def attach_to_global_provider() -> None:
    """Attach to it if no provider has shown an exporter, but another class wraps it."""
    if not _providers and isinstance(
        provider := trace.get_tracer_provider(), TracerProvider
    ):
        _attach(provider)


def _attach(provider: TracerProvider) -> None:
    with _lock:
        is_new = provider not in _providers
        _providers.add(provider)
    if is_new:
        provider.add_span_processor(ProgramProcessor())
