"""The exporter's own metrics, named by OpenTelemetry's conventions for its SDK.

Like those of the SDK they are recorded if OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED is
true.

https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
"""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from opentelemetry.metrics import NoOpMeterProvider, Observation, get_meter_provider
from opentelemetry.semconv._incubating.attributes.otel_attributes import (
    OTEL_COMPONENT_NAME,
    OTEL_COMPONENT_TYPE,
)
from opentelemetry.semconv._incubating.metrics.otel_metrics import (
    OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
    create_otel_sdk_exporter_operation_duration,
    create_otel_sdk_exporter_span_exported,
)
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE

from opentelemetry.exporter.mlflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        QueueState,
        RequestQueue,
    )

_ENABLED: Final = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
_COMPONENT_TYPE: Final = "mlflow_span_exporter"
# Names of this package. The conventions have none for a queue on disk.
QUEUE_SIZE: Final = "otel.exporter.mlflow.queue.size"
QUEUE_AGE: Final = "otel.exporter.mlflow.queue.age"

_component_numbers = count()


class DeliveryMetrics:
    """The metrics of one exporter, whose requests wait in `queue`."""

    def __init__(self, queue: RequestQueue) -> None:
        is_enabled = os.environ.get(_ENABLED, "").strip().lower() == "true"
        provider = get_meter_provider() if is_enabled else NoOpMeterProvider()
        meter = provider.get_meter("opentelemetry.exporter.mlflow", __version__)
        # A meter references its callbacks for ever.
        queue_reference = ref(queue)
        self._attributes = attributes = {
            OTEL_COMPONENT_TYPE: _COMPONENT_TYPE,
            OTEL_COMPONENT_NAME: f"{_COMPONENT_TYPE}/{next(_component_numbers)}",
        }
        self._exported = create_otel_sdk_exporter_span_exported(meter)
        self._duration = create_otel_sdk_exporter_operation_duration(meter)

        def observe(read: Callable[[QueueState], float]) -> list[Any]:
            def callback(_: object) -> Iterable[Observation]:
                if queue := queue_reference():
                    yield Observation(read(queue.state()), attributes)

            return [callback]

        meter.create_observable_up_down_counter(
            OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
            observe(lambda state: state.span_count),
            "{span}",
            "The number of spans that wait in the queue",
        )
        meter.create_observable_up_down_counter(
            QUEUE_SIZE,
            observe(lambda state: state.byte_count),
            "By",
            "The size of the requests that wait in the queue",
        )
        meter.create_observable_gauge(
            QUEUE_AGE,
            observe(lambda state: state.oldest_age),
            "s",
            "The age of the oldest request in the queue",
        )

    def add_exported(self, spans: int, error_type: str | None = None) -> None:
        """Count spans whose export has finished: delivered, or dropped for a reason."""
        self._exported.add(spans, self._with_error(error_type))

    def add_operation(self, seconds: float, error_type: str | None) -> None:
        """Record the duration of one try to send a request."""
        self._duration.record(seconds, self._with_error(error_type))

    def _with_error(self, error_type: str | None) -> dict[str, str]:
        if error_type is None:
            return self._attributes
        return {**self._attributes, ERROR_TYPE: error_type}
