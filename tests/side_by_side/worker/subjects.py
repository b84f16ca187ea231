"""The instrumentations to compare: what to install, and how to configure each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.benchmarks.worker.subjects import SUBJECTS as _BENCHMARK_SUBJECTS

from . import enable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .enable import ReadSpans
    from .telemetry import Telemetry


@dataclass(frozen=True)
class Subject:
    """An instrumentation to compare; the version of `distribution` is reported.

    `content` are the environment variables for the fullest recording that the
    documentation describes; without them the default is recorded. `settings` apply to
    both.
    """

    name: str
    title: str
    distribution: str
    enable: Callable[[Telemetry], ReadSpans | None]
    configuration: str
    content: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    # Reasons for the lack of a fact, by its title.
    remarks: Mapping[str, str] = field(default_factory=dict[str, str])
    requirements: tuple[str, ...] = ()
    # The extras of this project to install; None does not install it.
    extras: str | None = None
    needs_mlflow_server: bool = False


_MLFLOW_SETTINGS: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Prices come from the catalogue in the package. By default they are downloaded.
    "MLFLOW_MODEL_CATALOG_URI": "",
}
_DEEPSEEK: Final = _BENCHMARK_SUBJECTS["deepseek"]
_GENAI_OPENAI: Final = _BENCHMARK_SUBJECTS["genai-openai"]
_CAPTURE: Final = "`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY`"
_COVERS_RETRIES: Final = {
    "visible retry": "by the conventions, one span covers all retries"
}
_NO_COST: Final = {"cost": "the conventions have no attribute for it"}

SUBJECTS: Final[Mapping[str, Subject]] = {
    subject.name: subject
    for subject in (
        Subject(
            "deepseek",
            "this package",
            _DEEPSEEK.distribution,
            partial(enable.otel, "deepseek"),
            f"the spans of the instrumentation, with {_CAPTURE}",
            content=_DEEPSEEK.content or {},
            remarks={"cost": "the exporter to MLflow adds it"} | _COVERS_RETRIES,
            extras="openai",
        ),
        Subject(
            "deepseek-mlflow",
            "this package, in MLflow",
            _DEEPSEEK.distribution,
            enable.deepseek_in_mlflow,
            "the same spans, as MLflow stores them with the exporter of this package",
            content=_DEEPSEEK.content or {},
            settings=_MLFLOW_SETTINGS,
            remarks=_COVERS_RETRIES,
            requirements=("mlflow",),
            extras="openai,mlflow",
            needs_mlflow_server=True,
        ),
        Subject(
            "mlflow-openai",
            "`mlflow.openai.autolog()`",
            "mlflow",
            enable.mlflow_openai,
            "what MLflow stores, with the prices in its package. The application span "
            "is one of `mlflow.start_span`",
            settings=_MLFLOW_SETTINGS,
            needs_mlflow_server=True,
        ),
        Subject(
            "mlflow-otel",
            "`mlflow.otel.autolog()`",
            "mlflow",
            enable.mlflow_otel,
            "what MLflow stores of the spans of OpenTelemetry's for OpenAI, with "
            f"{_CAPTURE} and the prices in MLflow's package",
            content=_GENAI_OPENAI.content or {},
            settings=_MLFLOW_SETTINGS,
            # `mlflow.otel` imports the exporter, and `mlflow` does not require it.
            requirements=(
                _GENAI_OPENAI.distribution,
                "opentelemetry-exporter-otlp-proto-http",
            ),
            needs_mlflow_server=True,
        ),
        Subject(
            "genai-openai",
            "OpenTelemetry's for OpenAI",
            _GENAI_OPENAI.distribution,
            partial(enable.otel, "genai-openai"),
            "the successor of `opentelemetry-instrumentation-openai-v2`, with "
            f"{_CAPTURE}",
            content=_GENAI_OPENAI.content or {},
            remarks=_NO_COST | _COVERS_RETRIES,
        ),
        Subject(
            "openinference",
            "OpenInference",
            _BENCHMARK_SUBJECTS["openinference"].distribution,
            partial(enable.otel, "openinference"),
            "records content by default; "
            "with `OPENINFERENCE_ENABLE_GENAI_SEMCONV=true`, which adds the attributes "
            "of the GenAI conventions",
            content={"OPENINFERENCE_ENABLE_GENAI_SEMCONV": "true"},
        ),
        Subject(
            "traceloop",
            "Traceloop (OpenLLMetry)",
            _BENCHMARK_SUBJECTS["traceloop"].distribution,
            partial(enable.otel, "traceloop"),
            "records content by default",
            remarks=_NO_COST
            | {
                "request unchanged": "`enable_trace_context_propagation=False` "
                "prevents it"
            },
        ),
        Subject(
            "openlit",
            "OpenLIT",
            "openlit",
            enable.openlit,
            "`openlit.init()`, which records content by default. A copy of August 2026 "
            "(`OPENLIT_PRICING_JSON`) replaces the price list that it downloads",
            remarks={
                "request unchanged": "from its instrumentation of `httpx`, which "
                "`disabled_instrumentors` turns off"
            },
        ),
        Subject(
            "langfuse",
            "Langfuse",
            "langfuse",
            enable.langfuse,
            "`langfuse.openai`, which records content by default: the spans that "
            "Langfuse sends",
            remarks={"cost": "the server may add it"},
        ),
        Subject(
            "logfire",
            "Logfire",
            "logfire",
            enable.logfire,
            "`logfire.instrument_openai()`, which records content by default",
        ),
    )
}
