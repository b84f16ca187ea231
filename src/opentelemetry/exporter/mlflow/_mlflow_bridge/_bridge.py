"""Joins the spans of `@mlflow.trace` and the application's spans in one trace.

MLflow has a tracer provider and a context of its own. Four mechanisms join the two:
MLflow's active span is on OpenTelemetry's context (`_context_patch`); its root spans
take the trace id of the current application span (`_parenting`); each span of MLflow's
provider is mirrored on the application's provider (`_span_mirror`); and the exporter
sends such a trace in one request (`_trace_buffer`).
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.sdk.trace import Span, TracerProvider
from wrapt import register_post_import_hook

from opentelemetry import trace
from opentelemetry.exporter.mlflow._mlflow_bridge._autolog_patch import patch_autolog
from opentelemetry.exporter.mlflow._mlflow_bridge._client_patch import (
    patch_tracing_client,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._context_patch import (
    PROPAGATION_SETTING,
    patch_context,
    patch_use_span,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._experiment_patch import (
    patch_experiment_lookup,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._exporters import Exporters
from opentelemetry.exporter.mlflow._mlflow_bridge._fluent_trace_info import (
    patch_trace_info,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._missing_names import (
    log_missing_name,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import (
    ApplicationTraceIdGenerator,
    current_span,
    is_evaluation,
    prepare_mlflow,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._processors import (
    ApplicationProviderProcessor,
    MlflowProviderProcessor,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._provider_patch import (
    OTLP_SETTING,
    patch_otlp_export,
    patch_provider,
    patch_span_start,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_processor_patch import (
    patch_span_processor,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

    from opentelemetry.exporter.mlflow._mlflow_bridge._exporters import Destination

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# Settings of MLflow that the bridge needs. A value that the user has set stays.
_MLFLOW_SETTINGS = {
    PROPAGATION_SETTING: "true",
    # If an OTLP endpoint is in the environment, MLflow would send its spans there by
    # itself, with their content, and no longer to MLflow.
    OTLP_SETTING: "false",
}
_NO_PROVIDER = (
    "Spans of @mlflow.trace stay in traces of their own, because no tracer provider of "
    "OpenTelemetry's SDK is set. Pass the provider of the application to "
    "MlflowInstrumentor().instrument(tracer_provider=provider), or set it with "
    "opentelemetry.trace.set_tracer_provider(provider)."
)


class MlflowBridge:
    """Is active while it is enabled and an exporter exists. One for each process."""

    def __init__(self) -> None:
        self._exporters = Exporters()
        self._attached_providers: WeakSet[TracerProvider] = WeakSet()
        self._lock = threading.Lock()
        self._changed_settings: dict[str, str] = {}
        self._application_provider: trace.TracerProvider | None = None
        self._mlflow_provider: trace.TracerProvider | None = None
        self._provider_module: ModuleType | None = None
        self._is_enabled = False
        self._has_import_hooks = False
        self._has_parenting_failed = False
        self._has_warned_of_provider = False

    @property
    def is_active(self) -> bool:
        return self._is_enabled and bool(self._exporters)

    @property
    def application_provider(self) -> trace.TracerProvider:
        return self._application_provider or trace.get_tracer_provider()

    @property
    def exporters(self) -> list[SpanExporter]:
        return list(self._exporters)

    def add_exporter(self, exporter: SpanExporter, destination: Destination) -> None:
        self._exporters.add(exporter, destination)
        self._activate()

    def enable(self, application_provider: trace.TracerProvider | None) -> None:
        self._is_enabled = True
        self._application_provider = application_provider
        self._activate()

    def disable(self) -> None:
        """The patches and the processors stay in MLflow, and do nothing."""
        self._is_enabled = False
        for name, value in self._changed_settings.items():
            if os.environ.get(name) == value:
                del os.environ[name]
        self._changed_settings.clear()

    def _activate(self) -> None:
        if not self.is_active:
            return
        for name, value in _MLFLOW_SETTINGS.items():
            if not os.environ.get(name):
                os.environ[name] = self._changed_settings[name] = value
        # `import mlflow` takes seconds. A program that does not use it must not pay.
        if not self._has_import_hooks:
            self._has_import_hooks = True  # permanently: wrapt cannot remove a hook
            for module, patch in (
                ("mlflow.tracing.provider", self._patch_provider),
                ("mlflow.tracing.client", self._patch_client),
                ("mlflow.tracing.fluent", self._patch_fluent),
                ("mlflow.tracing.processor.base_mlflow", self._patch_processor),
                ("mlflow.tracking.fluent", patch_experiment_lookup),
                ("mlflow.openai.autolog", self._patch_autolog),
            ):
                register_post_import_hook(patch, module)

    def _patch_provider(self, module: ModuleType) -> None:
        self._provider_module = module
        try:
            patch_context(module, lambda: self.is_active, self.disable_parenting)
            patch_span_start(module, self._on_start_span)
            patch_otlp_export(module, lambda: self.is_active)
            patch_span_processor(module, self.is_exported_to)
            patch_provider(module, self._attach_to_mlflow)
        except AttributeError as error:
            log_missing_name(
                "Spans of @mlflow.trace stay in separate traces",
                error,
                "Other spans are exported as before.",
            )

    def _patch_fluent(self, module: ModuleType) -> None:
        patch_use_span(module, lambda: self.is_active)

    def _patch_processor(self, module: ModuleType) -> None:
        patch_trace_info(module, lambda: self.is_active)

    def _patch_autolog(self, module: ModuleType) -> None:
        patch_autolog(module, self)

    def _patch_client(self, module: ModuleType) -> None:
        try:
            patch_tracing_client(module, self)
        except AttributeError as error:
            self.disable_parenting(error)

    def is_exported_to(self, tracking_uri: str) -> bool:
        return (
            self.is_active
            and not self._has_parenting_failed
            and self._exporters.write_to(tracking_uri)
        )

    def allows_one_writer_only(self, tracking_uri: str) -> bool:
        return self._exporters.replace_traces_at(tracking_uri)

    def _attach_to_mlflow(self, provider: Any) -> None:
        # While tracing is disabled, MLflow's provider is not the SDK's. If MLflow
        # shares the application's provider, all spans are in one trace without the
        # bridge.
        if (
            isinstance(provider, TracerProvider)
            and provider is not self.application_provider
        ):
            self._mlflow_provider = provider
            self._add_processor(provider, MlflowProviderProcessor(self))
            id_generator = provider.id_generator
            if not isinstance(id_generator, ApplicationTraceIdGenerator):
                # The SDK's annotation is the class of its default.
                provider.id_generator = ApplicationTraceIdGenerator(  # type: ignore[assignment]
                    id_generator, self.current_application_span
                )

    def _on_start_span(
        self, wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        with ExitStack() as stack:
            try:
                if (
                    self.is_active
                    and self._provider_module
                    and not self._has_parenting_failed
                ):
                    span = self.current_application_span()
                    prepare_mlflow(self._provider_module, span, stack)
            except Exception as error:  # noqa: BLE001  # MLflow's span must start
                self.disable_parenting(error)
            return wrapped(*args, **kwargs)

    def disable_parenting(self, error: Exception) -> None:
        self._has_parenting_failed = True
        log_missing_name(
            "Spans of @mlflow.trace beneath an application span stay in separate, "
            "linked traces",
            error,
        )

    def current_application_span(self) -> Span | None:
        """The current span if a span of MLflow's can be placed beneath it."""
        span = current_span()
        if (
            not self.is_active
            or self._has_parenting_failed
            or not isinstance(span, Span)
            or not span.is_recording()
        ):
            return None
        # The exporters do not receive spans of other providers.
        is_exported = any(
            isinstance(provider, TracerProvider) and span.resource is provider.resource
            for provider in (self.application_provider, self._mlflow_provider)
        )
        return span if is_exported and not is_evaluation() else None

    def attach_to_application(self) -> bool:
        """Returns False if the application has no SDK tracer provider to mirror on."""
        provider = self.application_provider
        if not isinstance(provider, TracerProvider):
            if not self._has_warned_of_provider:
                self._has_warned_of_provider = True
                _logger.warning(_NO_PROVIDER)
            return False
        self._add_processor(provider, ApplicationProviderProcessor(self))
        return True

    def _add_processor(
        self, provider: TracerProvider, processor: SpanProcessor
    ) -> None:
        if provider not in self._attached_providers:
            with self._lock:
                # Another thread may have added one since the first check.
                if provider not in self._attached_providers:  # pragma: no branch
                    provider.add_span_processor(processor)
                    self._attached_providers.add(provider)


bridge = MlflowBridge()
