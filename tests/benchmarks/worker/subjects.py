"""The instrumentations to measure.

The program reads their requirements and settings. The workers import this module in
environments with only one of them, so the functions import what they need.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import TracerProvider


def _bare_span(tracer_provider: TracerProvider, **_: Any) -> None:
    """Wraps the call in a span with ten attributes, as a minimal instrumentation."""
    from opentelemetry.trace import SpanKind
    from wrapt import wrap_function_wrapper

    tracer = tracer_provider.get_tracer("benchmark")

    def call(wrapped: Any, _resource: Any, args: Any, kwargs: Any) -> Any:
        with tracer.start_as_current_span(
            "chat deepseek-flash", kind=SpanKind.CLIENT
        ) as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "deepseek",
                    "gen_ai.request.model": "deepseek-flash",
                    "server.address": "api.deepseek.com",
                    "server.port": 443,
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.id": "945bb10c-9bf3-47ff-a2a2-43bbe9705c72",
                    "gen_ai.response.model": "deepseek-flash",
                    "gen_ai.usage.input_tokens": 97,
                    "gen_ai.usage.output_tokens": 61,
                }
            )
            return wrapped(*args, **kwargs)

    wrap_function_wrapper(
        "openai.resources.chat.completions", "Completions.create", call
    )


def _deepseek(**providers: Any) -> None:
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    DeepSeekInstrumentor().instrument(**providers)


def _genai_openai(**providers: Any) -> None:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _traceloop(**providers: Any) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _openinference(tracer_provider: TracerProvider, **_: Any) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=tracer_provider)


def _langfuse(tracer_provider: TracerProvider, **_: Any) -> None:
    # The import instruments the SDK.
    import langfuse.openai  # noqa: F401
    from langfuse import Langfuse
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
        InMemorySpanExporter,
    )

    exporter = InMemorySpanExporter()
    exporter.shutdown()  # drops all spans from now on
    Langfuse(
        public_key="pk-lf-benchmark",
        secret_key="sk-lf-benchmark",
        base_url="http://127.0.0.1:9",
        tracer_provider=tracer_provider,
        span_exporter=exporter,
    )


def _mlflow(tracer_provider: TracerProvider, **_: Any) -> None:
    import mlflow
    from mlflow.tracing.export.async_export_queue import AsyncTraceExportQueue
    from opentelemetry.trace import set_tracer_provider

    # A database with the default experiment. Work that the exporter would do in other
    # threads is dropped.
    store = Path(tempfile.mkdtemp(prefix="benchmarks-"), "mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{store}")
    AsyncTraceExportQueue.put = lambda *_args, **_options: None
    set_tracer_provider(tracer_provider)
    mlflow.openai.autolog()


@dataclass(frozen=True)
class Subject:
    """An instrumentation to measure.

    `content` and `no_content` are the environment variables that enable and disable
    content; None if this is not supported. `distribution` is the package to install,
    whose version is reported.
    """

    name: str
    title: str
    distribution: str
    instrument: Callable[..., None]
    content: Mapping[str, str] | None
    no_content: Mapping[str, str] | None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    # Whether it records metrics.
    has_metrics: bool = False
    is_peer: bool = True


_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
DEEPSEEK: Final = "deepseek"
BARE_SPAN: Final = "span"
SUBJECTS: Final[Mapping[str, Subject]] = {
    subject.name: subject
    for subject in (
        Subject(
            BARE_SPAN,
            "a bare span with ten attributes",
            "opentelemetry-sdk",
            _bare_span,
            content={},
            no_content={},
            is_peer=False,
        ),
        Subject(
            DEEPSEEK,
            "this package",
            "opentelemetry-instrumentation-deepseek",
            _deepseek,
            content={_CAPTURE: "SPAN_ONLY"},
            no_content={_CAPTURE: "NO_CONTENT"},
            has_metrics=True,
            is_peer=False,
        ),
        Subject(
            "genai-openai",
            "OpenTelemetry's for OpenAI",
            "opentelemetry-instrumentation-genai-openai",
            _genai_openai,
            content={_CAPTURE: "SPAN_ONLY"},
            no_content={_CAPTURE: "NO_CONTENT"},
            settings={"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"},
            has_metrics=True,
        ),
        Subject(
            "openinference",
            "OpenInference",
            "openinference-instrumentation-openai",
            _openinference,
            content={},
            no_content={
                "OPENINFERENCE_HIDE_INPUTS": "true",
                "OPENINFERENCE_HIDE_OUTPUTS": "true",
            },
        ),
        Subject(
            "traceloop",
            "Traceloop (OpenLLMetry)",
            "opentelemetry-instrumentation-openai",
            _traceloop,
            content={"TRACELOOP_TRACE_CONTENT": "true"},
            no_content={"TRACELOOP_TRACE_CONTENT": "false"},
            has_metrics=True,
        ),
        Subject(
            "langfuse",
            "Langfuse's `langfuse.openai`",
            "langfuse",
            _langfuse,
            content={},
            no_content=None,
        ),
        Subject(
            "mlflow",
            "`mlflow.openai.autolog()`",
            "mlflow",
            _mlflow,
            content={},
            no_content=None,
            # Makes MLflow use the global provider, where its spans are counted.
            settings={"MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false"},
        ),
    )
}
