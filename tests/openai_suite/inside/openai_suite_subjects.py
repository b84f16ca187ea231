"""Who is switched on while openai-python's tests run.

Read by the program for its requirements, and by the plugin inside a test run, where
nothing of this project need be installed: hence the imports within functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class Reach:
    """The tests, by id, in which the pass-through was called; `now` is the running."""

    now = ""

    def __init__(self) -> None:
        self.tests: set[str] = set()


reach: Final = Reach()


def _nothing(**_providers: Any) -> None:
    """Bare."""


def _pass_through(**_providers: Any) -> None:
    """The least that an instrumentation does: a function around the method.

    Notes which tests come by: only they can notice an instrumentation.
    """
    from wrapt import wrap_function_wrapper

    def call(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        reach.tests.add(reach.now)
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
        ("openai", "OpenAI", "request"),  # what all resources go through
    ):
        for owner in (sync, f"Async{sync}"):
            wrap_function_wrapper(module, f"{owner}.{method}", call)


def _deepseek(**providers: Any) -> None:
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    DeepSeekInstrumentor().instrument(hosts=["*"], **providers)


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
    """An instrumentation, switched on in one way.

    `distribution` is the one whose version counts. `requirements` are a peer's: the
    others are there anyhow. Subjects with the same ones share an environment.
    """

    name: str
    title: str
    switch_on: Callable[..., None]
    distribution: str | None = None
    requirements: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    sampled: bool = True

    @property
    def harmless(self) -> bool:
        """Whether a fault of it is an error here: it is ours, or proves the program."""
        return not self.requirements

    @property
    def emits(self) -> bool:
        """Whether spans are to be expected: without one nothing was switched on."""
        return self.sampled and self.switch_on not in {_nothing, _pass_through}

    @property
    def version(self) -> str:
        return version(self.distribution) if self.distribution else ""


_CONTENT: Final = {_CAPTURE: "SPAN_AND_EVENT"}
OURS: Final = "opentelemetry-instrumentation-deepseek"

SUBJECTS: Final = {
    subject.name: subject
    for subject in (
        Subject("bare", "nothing", _nothing),
        Subject("pass-through", "a bare wrapt pass-through", _pass_through, "wrapt"),
        Subject(
            "deepseek",
            "this project, with content",
            _deepseek,
            OURS,
            environment=_CONTENT,
        ),
        Subject(
            "deepseek-no-content",
            "this project, without content",
            _deepseek,
            OURS,
            environment={_CAPTURE: "NO_CONTENT"},
        ),
        Subject(
            "deepseek-unsampled",
            "this project, unsampled",
            _deepseek,
            OURS,
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
            "OpenTelemetry's for OpenAI, before it moved",
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
                # Its spans through our provider, which counts them.
                "MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false",
            },
        ),
    )
}
