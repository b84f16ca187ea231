"""Where telemetry goes, and what is wanted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry._logs import get_logger
from opentelemetry.metrics import get_meter, get_meter_provider
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import get_tracer

from ._genai import ContentSwitch
from .version import __version__

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ._metrics import Metrics

_SCOPE: Final = "opentelemetry.instrumentation.deepseek"


class Signals:
    """One for each `instrument()`."""

    def __init__(
        self,
        metrics: type[Metrics],
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        schema = Schemas.V1_37_0.value
        self.tracer: Final = get_tracer(
            _SCOPE, __version__, tracer_provider, schema_url=schema
        )
        self.metrics: Final = metrics(
            get_meter(_SCOPE, __version__, meter_provider, schema_url=schema)
        )
        self.logger: Final = get_logger(
            _SCOPE, __version__, logger_provider, schema_url=schema
        )
        self.switch: Final = ContentSwitch()
        self._meter_provider: Final = meter_provider
        self._measures = False

    def measures(self) -> bool:
        """Whether there is a meter provider but the API's own, which keep nothing.

        One may be set after `instrument()`.
        """
        if not self._measures:
            provider = self._meter_provider or get_meter_provider()
            api = "opentelemetry.metrics"
            self._measures = not type(provider).__module__.startswith(api)
        return self._measures
