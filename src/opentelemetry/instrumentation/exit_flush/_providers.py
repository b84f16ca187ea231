"""The calls that flush the global providers, to be made at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry._logs import get_logger_provider
from opentelemetry.metrics import get_meter_provider
from opentelemetry.trace import get_tracer_provider

if TYPE_CHECKING:
    from collections.abc import Callable


def shutdowns() -> list[Callable[[], object]]:
    """Return the calls of a process that executes nothing after the flush.

    `shutdown` sends more than `force_flush`: a batch processor does not forward
    `force_flush` to its exporter, which may keep spans, too.
    https://github.com/open-telemetry/opentelemetry-python/blob/v1.43.0/opentelemetry-sdk/src/opentelemetry/sdk/_shared_internal/__init__.py
    """
    return _methods(
        "shutdown", *_span_processors(), get_meter_provider(), get_logger_provider()
    )


def force_flushes() -> list[Callable[[], object]]:
    """Return the calls of a process that continues."""
    return _methods(
        "force_flush", *_span_processors(), get_meter_provider(), get_logger_provider()
    )


def exporter_force_flushes() -> list[Callable[[], object]]:
    """Return the calls to make after `force_flushes`.

    A processor may flush what another one has just given to its exporter, as that of
    the MLflow bridge does.
    """
    return _methods("force_flush", *_span_processors())


def _methods(name: str, *receivers: Any) -> list[Callable[[], object]]:
    # The providers of the API, without the SDK, have neither method.
    methods = [getattr(receiver, name, None) for receiver in receivers]
    return [method for method in methods if method is not None]


def _span_processors() -> tuple[Any, ...]:
    """Return the processors of the provider, or the provider if it shows none.

    Uses private names, because the SDK has no public ones. `TracerProvider.shutdown`
    calls one processor after the other. The first server that does not respond would
    use up the time of all others.
    """
    provider: Any = get_tracer_provider()
    processor = getattr(provider, "_active_span_processor", None)
    processors: Any = getattr(processor, "_span_processors", None)
    return (provider,) if processors is None else tuple(processors)
