"""Spans of `@mlflow.trace` and the application's spans, in one tree.

MLflow has a tracer provider and a context of its own. Four things make them one:
MLflow puts its active span on OpenTelemetry's context (its own setting); its roots take
the trace of the application's span around them (`_beneath`); each span of MLflow's is
made a second time on the application's provider (`_same_ids`); and such a trace goes to
MLflow whole (`_whole_traces`).
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry.sdk.trace import Span, TracerProvider
from wrapt import patch_function_wrapper, register_post_import_hook

from opentelemetry import context, trace
from opentelemetry.exporter.mlflow._mlflow_bridge import (
    _client_patch,
    _experiment_patch,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import (
    TraceIds,
    enter,
    is_evaluated,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._processors import (
    OfApplication,
    OfMlflow,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

    IsAt = Callable[[str], bool]

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_PROVIDER = "mlflow.tracing.provider"
_CLIENT = "mlflow.tracing.client"
_EXPERIMENT = "mlflow.tracking.fluent"

# What MLflow is told, where the user has not said anything about it.
_SETTINGS = {
    "MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT": "true",
    # With an OTLP endpoint in the environment, MLflow would send its spans there
    # itself, with their content, and to MLflow no more.
    "MLFLOW_ENABLE_OTLP_EXPORTER": "false",
}


class OneTree:
    """Begins when it is both wanted and served. One for the process, as MLflow is."""

    def __init__(self) -> None:
        self._served: WeakKeyDictionary[SpanExporter, IsAt] = WeakKeyDictionary()
        self._seen: WeakSet[TracerProvider] = WeakSet()
        self._lock = threading.Lock()
        self._settings: dict[str, str] = {}
        self._provider: trace.TracerProvider | None = None
        self._of_mlflow: trace.TracerProvider | None = None
        self._is_wanted = False
        self._is_awaited = False
        self._stays_apart = False

    @property
    def is_on(self) -> bool:
        return self._is_wanted and bool(self._served)

    @property
    def provider(self) -> trace.TracerProvider:
        return self._provider or trace.get_tracer_provider()

    @property
    def exporters(self) -> list[SpanExporter]:
        return list(self._served)

    def serve(self, exporter: SpanExporter, is_at: IsAt) -> None:
        """`is_at` tells whether it writes where MLflow's client does, with that URI."""
        self._served[exporter] = is_at
        self._begin()

    def want(self, provider: trace.TracerProvider | None) -> None:
        self._is_wanted = True
        self._provider = provider
        self._begin()

    def stop(self) -> None:
        """What MLflow's provider has of ours stays, and does nothing."""
        self._is_wanted = False
        for name, value in self._settings.items():
            if os.environ.get(name) == value:
                del os.environ[name]
        self._settings.clear()

    def _begin(self) -> None:
        if not self.is_on:
            return
        for name, value in _SETTINGS.items():
            if not os.environ.get(name):
                os.environ[name] = self._settings[name] = value
        # `import mlflow` takes seconds: a program that never does must not pay.
        if not self._is_awaited:
            self._is_awaited = True  # for good: a hook cannot be taken back
            register_post_import_hook(self._provider_imported, _PROVIDER)
            register_post_import_hook(self._client_imported, _CLIENT)
            register_post_import_hook(_experiment_patch.see_to_it, _EXPERIMENT)

    def _provider_imported(self, module: ModuleType) -> None:
        """Patches private names of MLflow's, for there are no public ones.

        `_TracerProviderWrapper.set` is where a new provider is put in: before MLflow's
        first span, and again after each `set_tracking_uri` or `set_experiment`. (The
        public `get_bridged_tracer_provider` cannot tell when that is, and opens the
        store when it is asked too early.)

        `set_span_in_context` hides the application's span even where MLflow has no
        span to show: tracing is disabled, or the trace not sampled.

        `start_span_in_context` and `start_detached_span` are where all its spans begin.

        https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/provider.py
        """
        try:
            module.get_bridged_tracer_provider  # noqa: B018  # 3.16 has it, 3.15 not
            owner = module._TracerProviderWrapper  # noqa: SLF001  # see above
            patch_function_wrapper(owner, "set")(self._provider_set)
            patch_function_wrapper(module, "set_span_in_context")(self._span_shown)
            for name in ("start_span_in_context", "start_detached_span"):
                patch_function_wrapper(module, name)(self._span_started)
            self._join(module.provider.get())
        except AttributeError as error:
            _logger.warning(
                "Spans of @mlflow.trace stay in traces of their own: this version of "
                "MLflow is not one of 3.16 to 3.17 (%s). Other spans reach MLflow as "
                "before.",
                error,
            )

    def _client_imported(self, module: ModuleType) -> None:
        try:
            _client_patch.see_to_it(module, self._writes_to, self._stay_apart)
        except AttributeError as error:
            self._stay_apart(error)

    def _writes_to(self, tracking_uri: str) -> bool:
        return (
            self.is_on
            and not self._stays_apart
            and any(is_at(tracking_uri) for is_at in self._served.values())
        )

    def _provider_set(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        self._join(args[0] if args else None)
        return wrapped(*args, **kwargs)

    def _join(self, provider: Any) -> None:
        # Disabled, MLflow has one that is not the SDK's. And it may share the
        # application's: then the tree is one by itself.
        if isinstance(provider, TracerProvider) and provider is not self.provider:
            self._of_mlflow = provider
            self._put_on(provider, OfMlflow(self))
            ids = provider.id_generator
            if not isinstance(ids, TraceIds):
                # Annotated by its default, it takes any of its kind.
                provider.id_generator = TraceIds(ids, self.around)  # type: ignore[assignment]

    def _span_started(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        with ExitStack() as stack:
            try:
                if (beneath := self.around()) is not None:
                    enter(stack, beneath)
            except Exception as error:  # noqa: BLE001  # MLflow's span is to begin
                self._stay_apart(error)
            return wrapped(*args, **kwargs)

    def _stay_apart(self, error: Exception) -> None:
        self._stays_apart = True
        _logger.warning(
            "Under a span of the application, spans of @mlflow.trace stay in linked "
            "traces of their own: this version of MLflow is not one of 3.16 to 3.17.",
            exc_info=error,
        )

    def around(self) -> Span | None:
        """The current span, if one of MLflow's can be beneath it."""
        span = trace.get_current_span()
        if not self.is_on or self._stays_apart or not isinstance(span, Span):
            return None
        is_around = (
            span.is_recording()
            # What goes elsewhere is not around for us.
            and any(
                isinstance(provider, TracerProvider)
                and span.resource is provider.resource
                for provider in (self.provider, self._of_mlflow)
            )
            and not is_evaluated()
        )
        return span if is_around else None

    def _span_shown(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        before = context.get_current()
        token = wrapped(*args, **kwargs)
        if self.is_on and not trace.get_current_span().is_recording():
            # MLflow's `detach` puts back what was there before its own `attach`.
            context.attach(before)
        return token

    def watch(self) -> bool:
        """Whether the application has a provider that spans can be made on."""
        provider = self.provider
        if not isinstance(provider, TracerProvider):
            return False
        self._put_on(provider, OfApplication(self))
        return True

    def _put_on(self, provider: TracerProvider, processor: SpanProcessor) -> None:
        if provider not in self._seen:
            with self._lock:
                # Another thread may have been here first.
                if provider not in self._seen:  # pragma: no branch
                    provider.add_span_processor(processor)
                    self._seen.add(provider)


one_tree = OneTree()
