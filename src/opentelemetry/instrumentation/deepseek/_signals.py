"""The tracer, meter and logger of the instrumentation, and its content settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry._logs import get_logger
from opentelemetry.metrics import get_meter, get_meter_provider
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import get_tracer

from ._genai import ContentCapture
from ._open_streams import OpenStreams
from .version import __version__

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ._metrics import Metrics

_SCOPE_NAME: Final = "opentelemetry.instrumentation.deepseek"


class Signals:
    """The signals of one `instrument()`."""

    def __init__(
        self,
        metrics: type[Metrics],
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        schema_url = Schemas.V1_37_0.value
        self.tracer: Final = get_tracer(
            _SCOPE_NAME, __version__, tracer_provider, schema_url=schema_url
        )
        self.metrics: Final = metrics(
            get_meter(_SCOPE_NAME, __version__, meter_provider, schema_url=schema_url)
        )
        self.logger: Final = get_logger(
            _SCOPE_NAME, __version__, logger_provider, schema_url=schema_url
        )
        self.content_capture: Final = ContentCapture()
        self.open_streams: Final = OpenStreams()
        self._meter_provider: Final = meter_provider
        self._wants_metrics = False

    def wants_metrics(self) -> bool:
        """Returns whether a meter provider records measurements.

        Those of the API record nothing. A provider may be set after `instrument()`,
        so only True is cached.
        """
        if not self._wants_metrics:
            provider = self._meter_provider or get_meter_provider()
            api = "opentelemetry.metrics"
            self._wants_metrics = not type(provider).__module__.startswith(api)
        return self._wants_metrics
