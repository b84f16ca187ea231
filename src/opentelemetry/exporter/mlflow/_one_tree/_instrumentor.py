"""Spans of `@mlflow.trace` and the application's spans, in one tree.

MLflow has a tracer provider and a context of its own. Three things make them one:
MLflow puts its active span on OpenTelemetry's context (its own setting); each span of
MLflow's is made a second time on the application's provider (`_same_ids`); and such a
trace goes to MLflow whole (`_whole_traces`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from wrapt import patch_function_wrapper, register_post_import_hook

from opentelemetry import context, trace
from opentelemetry.exporter.mlflow._one_tree._last_words import see_to_them
from opentelemetry.exporter.mlflow._one_tree._same_ids import SpanId, make_again
from opentelemetry.exporter.mlflow._one_tree._whole_traces import begun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType

    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.sdk.trace.export import SpanExporter

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_MODULE = "mlflow.tracing.provider"

# What MLflow is told, where the user has not said anything about it.
_SETTINGS = {
    "MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT": "true",
    # With an OTLP endpoint in the environment, MLflow would send its spans there
    # itself, with their content, and to MLflow no more.
    "MLFLOW_ENABLE_OTLP_EXPORTER": "false",
}


class MlflowInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Puts the spans of `@mlflow.trace` and `mlflow.start_span` in the same tree.

    They, and the application's spans beneath them, are one trace with the same ids in
    MLflow and in every other backend. It takes effect with the first
    `MlflowSpanExporter`, before or after, and for `mlflow` 3.16 and later.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        # MLflow comes in three packages, any of which will do; see `OneTree._imported`.
        return ()

    def _instrument(
        self, *, tracer_provider: trace.TracerProvider | None = None, **_: Any
    ) -> None:
        """Args of `instrument()`: tracer_provider, by default the global one."""
        one_tree.want(tracer_provider)

    def _uninstrument(self, **_: Any) -> None:
        one_tree.stop()


class OneTree:
    """Begins when it is both wanted and served. One for the process, as MLflow is."""

    def __init__(self) -> None:
        self._exporters: WeakSet[SpanExporter] = WeakSet()
        self._seen: WeakSet[TracerProvider] = WeakSet()
        self._lock = threading.Lock()
        self._settings: dict[str, str] = {}
        self._provider: trace.TracerProvider | None = None
        self._is_wanted = False
        self._is_awaited = False

    @property
    def is_on(self) -> bool:
        return self._is_wanted and bool(self._exporters)

    @property
    def provider(self) -> trace.TracerProvider:
        return self._provider or trace.get_tracer_provider()

    @property
    def exporters(self) -> list[SpanExporter]:
        return list(self._exporters)

    def serve(self, exporter: SpanExporter) -> None:
        self._exporters.add(exporter)
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
            register_post_import_hook(self._imported, _MODULE)

    def _imported(self, module: ModuleType) -> None:
        """Patches two private names of MLflow's, for there are no public ones.

        `_TracerProviderWrapper.set` is where a new provider is put in: before MLflow's
        first span, and again after each `set_tracking_uri` or `set_experiment`. (The
        public `get_bridged_tracer_provider` cannot tell when that is, and opens the
        store when it is asked too early.)

        `set_span_in_context` hides the application's span even where MLflow has no
        span to show: tracing is disabled, or the trace not sampled.

        https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/provider.py
        """
        try:
            module.get_bridged_tracer_provider  # noqa: B018  # 3.16 has it, 3.15 not
            owner = module._TracerProviderWrapper  # noqa: SLF001  # see above
            patch_function_wrapper(owner, "set")(self._provider_set)
            patch_function_wrapper(module, "set_span_in_context")(self._span_shown)
            self._join(module.provider.get())
        except AttributeError as error:
            _logger.warning(
                "Spans of @mlflow.trace stay in traces of their own: this version of "
                "MLflow is not one of 3.16 to 3.17 (%s). Other spans reach MLflow as "
                "before.",
                error,
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
            self._put_on(provider, _OfMlflow)

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
        self._put_on(provider, _OfApplication)
        return True

    def _put_on(
        self, provider: TracerProvider, processor: Callable[[], SpanProcessor]
    ) -> None:
        if provider not in self._seen:
            with self._lock:
                # Another thread may have been here first.
                if provider not in self._seen:  # pragma: no branch
                    provider.add_span_processor(processor())
                    self._seen.add(provider)


one_tree = OneTree()


class _OfMlflow(SpanProcessor):
    """On MLflow's provider. It never raises: MLflow does not catch what it would."""

    _is_ready = False

    def on_start(
        self,
        span: Span,
        parent_context: context.Context | None = None,  # noqa: ARG002  # the SDK's
    ) -> None:
        if not one_tree.is_on or not one_tree.watch():
            return
        own, parent = span.get_span_context(), span.parent
        around = trace.get_current_span().get_span_context()
        if parent is None and around.is_valid:
            # Say, a web request: MLflow begins a trace of its own beneath it.
            span.add_link(around)
        begun.of_mlflow(
            own.trace_id,
            has_root_here=parent is not None
            and parent.is_remote
            and around.trace_id == own.trace_id,
        )

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not one_tree.is_on:
            return
        try:
            is_made = make_again(
                span,
                one_tree.provider,
                has_root_here=begun.has_root_here(span.context.trace_id),
            )
        except Exception:
            is_made = False
            _logger.exception("A span of @mlflow.trace does not reach other backends")
        if not is_made:
            begun.never_comes(span.context.trace_id)
        if not self._is_ready and (module := sys.modules.get(_MODULE)):
            self._is_ready = True
            see_to_them(module)

    def shutdown(self) -> None:
        """MLflow's end, or a change of its settings, is not the application's."""


class _OfApplication(SpanProcessor):
    """On the application's provider."""

    def on_start(
        self,
        span: Span,
        parent_context: context.Context | None = None,  # noqa: ARG002  # the SDK's
    ) -> None:
        own = span.get_span_context()
        if own.trace_flags.sampled and not isinstance(own.span_id, SpanId):
            begun.of_application(own.trace_id)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        # The SDK's processors do not hand it on to their exporters.
        flushed = [one.force_flush(timeout_millis) for one in one_tree.exporters]
        return all(flushed)
