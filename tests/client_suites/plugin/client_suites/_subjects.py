"""No instrumentation, a wrapper that does nothing, and this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._suite import Suite

_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CONTENT: Final = {_CAPTURE: "SPAN_AND_EVENT"}
DEEPSEEK_PACKAGE: Final = "opentelemetry-instrumentation-deepseek"


class CallTracker:
    """Records the ids of the tests that call the pass-through."""

    current_test = ""

    def __init__(self) -> None:
        self.tests: set[str] = set()


call_tracker: Final = CallTracker()


@dataclass(frozen=True, eq=False)
class Subject:
    """An instrumentation in one configuration.

    `distribution` is the package whose version is reported. Only peers, which are the
    instrumentations of other projects, have `requirements`. If the subject
    `records_every_request`, the tests in `Suite.differences` can tell.
    """

    name: str
    title: str
    instrument: Callable[..., None]
    distribution: str | None = None
    requirements: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    sampled: bool = True
    expects_spans: bool = True
    records_every_request: bool = False

    @property
    def is_peer(self) -> bool:
        """Whether this is an instrumentation of another project."""
        return bool(self.requirements)

    @property
    def version(self) -> str:
        return version(self.distribution) if self.distribution else ""


def _no_instrumentation(_suite: Suite, **_providers: Any) -> None:
    """Leaves the client unchanged."""


def _pass_through(suite: Suite, **_providers: Any) -> None:
    """Wraps the methods without doing anything else.

    Records which tests call them, because only these can notice an instrumentation.
    """
    from wrapt import wrap_function_wrapper

    def call(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        call_tracker.tests.add(call_tracker.current_test)
        return wrapped(*args, **kwargs)

    for module, method in suite.instrumented:
        wrap_function_wrapper(module, method, call)


def _every_host(_suite: Suite, **providers: Any) -> None:
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    DeepSeekInstrumentor().instrument(hosts=["*"], **providers)


def _every_request(_suite: Suite, **providers: Any) -> None:
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    from ._every_request import record_every_request

    record_every_request()
    DeepSeekInstrumentor().instrument(**providers)


SUBJECTS: Final = (
    Subject(
        "uninstrumented",
        "no instrumentation",
        _no_instrumentation,
        expects_spans=False,
    ),
    Subject(
        "pass-through",
        "a `wrapt` wrapper without telemetry",
        _pass_through,
        "wrapt",
        expects_spans=False,
    ),
    Subject(
        "deepseek",
        "this package, with content",
        _every_request,
        DEEPSEEK_PACKAGE,
        records_every_request=True,
        environment=CONTENT,
    ),
    Subject(
        "deepseek-no-content",
        "this package, without content",
        _every_request,
        DEEPSEEK_PACKAGE,
        records_every_request=True,
        environment={_CAPTURE: "NO_CONTENT"},
    ),
    Subject(
        "deepseek-unsampled",
        "this package, unsampled",
        _every_request,
        DEEPSEEK_PACKAGE,
        records_every_request=True,
        environment=CONTENT,
        sampled=False,
        expects_spans=False,
    ),
    Subject(
        "deepseek-hosts",
        "this package, with the option `*`",
        _every_host,
        DEEPSEEK_PACKAGE,
        environment=CONTENT,
        expects_spans=False,
    ),
)
