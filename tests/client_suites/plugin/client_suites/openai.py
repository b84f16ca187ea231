"""OpenAI's SDK."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from . import _pyproject
from ._subjects import CONTENT, Subject
from ._suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

_CALLS: Final = re.compile(
    r"\.(chat\.completions|(completions|embeddings|responses)\.)"
)


def _requirements(archive: Path) -> list[str]:
    project = _pyproject.read(archive)
    development = (
        # A dependency group since 3.0, before that a setting of rye.
        project["dependency-groups"]["dev"]
        if "dependency-groups" in project
        else project["tool"]["rye"]["dev-dependencies"]
    )
    return [_pyproject.with_extras(archive), *development]


def _instrumented() -> tuple[tuple[str, str], ...]:
    return tuple(
        (module, f"{owner}.{method}")
        for module, sync, method in (
            ("openai.resources.chat.completions", "Completions", "create"),
            ("openai.resources.chat.completions", "Completions", "parse"),
            ("openai.resources.chat.completions", "Completions", "stream"),
            ("openai.resources.completions", "Completions", "create"),
            ("openai.resources.embeddings", "Embeddings", "create"),
            ("openai.resources.responses", "Responses", "create"),
            ("openai.resources.responses", "Responses", "parse"),
            ("openai.resources.responses", "Responses", "stream"),
            ("openai", "OpenAI", "request"),  # used by all resources
        )
        for owner in (sync, f"Async{sync}")
    )


def _genai_openai(_suite: Suite, **providers: Any) -> None:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _openai_v2(_suite: Suite, **providers: Any) -> None:
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _traceloop(_suite: Suite, **providers: Any) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _openinference(_suite: Suite, **providers: Any) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=providers["tracer_provider"])


def _mlflow(_suite: Suite, **_providers: Any) -> None:
    import mlflow

    mlflow.openai.autolog()


_PEERS: Final = (
    Subject(
        "genai-openai",
        "OpenTelemetry's for OpenAI",
        _genai_openai,
        "opentelemetry-instrumentation-genai-openai",
        ("opentelemetry-instrumentation-genai-openai>=1.3b0",),
        environment=CONTENT,
    ),
    Subject(
        "openai-v2",
        "OpenTelemetry's for OpenAI, in its former package",
        _openai_v2,
        "opentelemetry-instrumentation-openai-v2",
        ("opentelemetry-instrumentation-openai-v2>=2.4b0",),
        environment=CONTENT,
    ),
    Subject(
        "traceloop",
        "Traceloop (OpenLLMetry)",
        _traceloop,
        "opentelemetry-instrumentation-openai",
        ("opentelemetry-instrumentation-openai",),
    ),
    Subject(
        "openinference",
        "OpenInference",
        _openinference,
        "openinference-instrumentation-openai",
        ("openinference-instrumentation-openai",),
    ),
    Subject(
        "mlflow",
        "`mlflow.openai.autolog()`",
        _mlflow,
        "mlflow",
        ("mlflow",),
        environment={
            "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
            # Makes MLflow use the global provider, where its spans are counted.
            "MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false",
        },
    ),
)

SUITE: Final = Suite(
    client="openai",
    archive="openai",
    versions="3.*",
    requirements=_requirements,
    calls=_CALLS,
    # Its other tests fail without a server for the rest of the API.
    folder_of_calls="api_resources",
    instrumented=_instrumented(),
    extra="openai",
    peers=_PEERS,
)
