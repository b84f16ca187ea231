"""The instrumentations to run openai-python's tests with.

The program reads their requirements. The plugin imports this module inside a test run,
where this package may not be installed, so the functions import what they need.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class CallTracker:
    """Records the ids of the tests that call the pass-through."""

    current_test = ""

    def __init__(self) -> None:
        self.tests: set[str] = set()


call_tracker: Final = CallTracker()


def _no_instrumentation(**_providers: Any) -> None:
    """Leaves the SDK unchanged."""


def _pass_through(**_providers: Any) -> None:
    """Wraps the methods without doing anything else.

    Records which tests call them, because only these can notice an instrumentation.
    """
    from wrapt import wrap_function_wrapper

    def call(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        call_tracker.tests.add(call_tracker.current_test)
        return wrapped(*args, **kwargs)

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
    ):
        for owner in (sync, f"Async{sync}"):
            wrap_function_wrapper(module, f"{owner}.{method}", call)


def _deepseek(**providers: Any) -> None:
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    # By name, because `*` includes DeepSeek's models only.
    host = urlsplit(os.environ["TEST_API_BASE_URL"]).hostname or ""
    DeepSeekInstrumentor().instrument(hosts=[host, "api.openai.com"], **providers)


def _genai_openai(**providers: Any) -> None:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _openai_v2(**providers: Any) -> None:
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _traceloop(**providers: Any) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**providers)


def _openinference(**providers: Any) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=providers["tracer_provider"])


def _mlflow(**_providers: Any) -> None:
    import mlflow

    mlflow.openai.autolog()


@dataclass(frozen=True, eq=False)
class Subject:
    """An instrumentation in one configuration.

    `distribution` is the package whose version is reported. Only peers, which are the
    instrumentations of other projects, have `requirements`.
    """

    name: str
    title: str
    instrument: Callable[..., None]
    distribution: str | None = None
    requirements: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    sampled: bool = True

    @property
    def is_peer(self) -> bool:
        """Whether this is an instrumentation of another project."""
        return bool(self.requirements)

    @property
    def expects_spans(self) -> bool:
        """Whether the tests must start spans."""
        return self.sampled and self.instrument not in {
            _no_instrumentation,
            _pass_through,
        }

    @property
    def version(self) -> str:
        return version(self.distribution) if self.distribution else ""


_CONTENT: Final = {_CAPTURE: "SPAN_AND_EVENT"}
DEEPSEEK_PACKAGE: Final = "opentelemetry-instrumentation-deepseek"

SUBJECTS: Final = {
    subject.name: subject
    for subject in (
        Subject("uninstrumented", "no instrumentation", _no_instrumentation),
        Subject(
            "pass-through",
            "a `wrapt` wrapper without telemetry",
            _pass_through,
            "wrapt",
        ),
        Subject(
            "deepseek",
            "this package, with content",
            _deepseek,
            DEEPSEEK_PACKAGE,
            environment=_CONTENT,
        ),
        Subject(
            "deepseek-no-content",
            "this package, without content",
            _deepseek,
            DEEPSEEK_PACKAGE,
            environment={_CAPTURE: "NO_CONTENT"},
        ),
        Subject(
            "deepseek-unsampled",
            "this package, unsampled",
            _deepseek,
            DEEPSEEK_PACKAGE,
            environment=_CONTENT,
            sampled=False,
        ),
        Subject(
            "genai-openai",
            "OpenTelemetry's for OpenAI",
            _genai_openai,
            "opentelemetry-instrumentation-genai-openai",
            ("opentelemetry-instrumentation-genai-openai>=1.3b0",),
            environment=_CONTENT,
        ),
        Subject(
            "openai-v2",
            "OpenTelemetry's for OpenAI, in its former package",
            _openai_v2,
            "opentelemetry-instrumentation-openai-v2",
            ("opentelemetry-instrumentation-openai-v2>=2.4b0",),
            environment=_CONTENT,
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
}
