"""Corrects the span processors of old versions of MLflow's client.

MLflow 3.1 has two sets of classes. With those for MLflow servers, the server chooses
the trace id when the root span starts, and the trace of MlflowSpanExporter would be
another one. With those for Databricks, the trace id is that of the span, as in every
later version.

https://github.com/mlflow/mlflow/blob/v3.1.4/mlflow/tracing/provider.py
"""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from wrapt import patch_function_wrapper

from opentelemetry.exporter.mlflow._mlflow_bridge._missing_names import (
    log_missing_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.sdk.trace import ReadableSpan

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_SERVER_IDS_MODULE: Final = "mlflow.tracing.processor.mlflow_v2"


def patch_span_processor(
    provider: ModuleType, is_exported_to: Callable[[str], bool]
) -> None:
    """Patch the function that creates them; newer versions may not have it."""
    if not hasattr(provider, "_get_mlflow_span_processor"):
        return

    def create_processor(
        wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        tracking_uri = kwargs["tracking_uri"] if "tracking_uri" in kwargs else args[0]
        if not is_exported_to(tracking_uri):
            return wrapped(*args, **kwargs)
        processor = None
        try:
            if _chooses_server_ids() and not tracking_uri.startswith("databricks"):
                processor = _processor_with_span_ids(
                    tracking_uri, kwargs.get("experiment_id")
                )
        except Exception as error:  # noqa: BLE001  # MLflow must get a processor
            log_missing_name(
                "Spans of @mlflow.trace are in traces of their own in MLflow", error
            )
        if processor is None:
            processor = wrapped(*args, **kwargs)
        if isinstance(processor, SimpleSpanProcessor):
            _initialize(processor)
            _catch_errors(processor)
        return processor

    patch_function_wrapper(provider, "_get_mlflow_span_processor")(create_processor)


def _chooses_server_ids() -> bool:
    try:
        return find_spec(_SERVER_IDS_MODULE) is not None
    except ModuleNotFoundError:  # A parent of the module does not exist either.
        return False


def _processor_with_span_ids(tracking_uri: str, experiment_id: str | None) -> Any:
    from mlflow.entities.trace_state import TraceState
    from mlflow.environment_variables import MLFLOW_ENABLE_ASYNC_LOGGING
    from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter
    from mlflow.tracing.processor.mlflow_v3 import MlflowV3SpanProcessor

    # The type checkers see a newer version.
    exporter_class: Any = MlflowV3SpanExporter
    processor_class: Any = MlflowV3SpanProcessor
    async_setting: Any = MLFLOW_ENABLE_ASYNC_LOGGING

    class Exporter(exporter_class):  # type: ignore[misc]  # see above
        """Does what the class for MLflow servers did, and that for Databricks not."""

        def _should_enable_async_logging(self) -> bool:
            return bool(async_setting.get())

        def _log_trace(self, trace: Any, *args: Any, **kwargs: Any) -> None:
            # update_current_trace(state="ERROR") leaves the text there.
            with suppress(ValueError):
                trace.info.state = TraceState(trace.info.state)
            exporter_class._log_trace(self, trace, *args, **kwargs)  # noqa: SLF001  # of the base class

    return processor_class(Exporter(tracking_uri), experiment_id=experiment_id)


def _initialize(processor: SimpleSpanProcessor) -> None:
    """Initialize what OpenTelemetry's processor needs, if MLflow has not done so.

    The oldest versions do not call `__init__` of the base class, and their spans cannot
    end with a newer SDK.
    """
    exporter = processor.span_exporter
    if vars(SimpleSpanProcessor(exporter)).keys() - vars(processor).keys():
        SimpleSpanProcessor.__init__(processor, exporter)


def _catch_errors(processor: SimpleSpanProcessor) -> None:
    """Let the span reach the other processors if MLflow's own one fails.

    MLflow 3.6 fails if OTEL_EXPORTER_OTLP_ENDPOINT is set and the package for gRPC is
    not installed. MLflow logs that and goes on.

    https://github.com/mlflow/mlflow/blob/v3.6.0/mlflow/tracing/processor/otel_metrics_mixin.py
    """
    on_end = processor.on_end
    has_logged = False

    def end(span: ReadableSpan) -> None:
        nonlocal has_logged
        try:
            on_end(span)
        except Exception as error:  # noqa: BLE001  # see the docstring
            if not has_logged:
                has_logged = True
                _logger.warning(
                    "MLflow's own span processor has failed (%s: %s). The spans of "
                    "@mlflow.trace are exported, but what mlflow.update_current_trace "
                    "sets may be lost. This is logged once.",
                    type(error).__name__,
                    error,
                )

    processor.on_end = end  # type: ignore[method-assign]  # for this instance
