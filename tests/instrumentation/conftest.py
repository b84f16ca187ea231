"""The real `openai` clients, over real HTTP, against a server that serves what it is
told to."""

from __future__ import annotations

import asyncio
import inspect
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Recorded, Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from .comparing import Compared

SAMPLES = Path(__file__).parent.parent / "deepseek_samples"
QUESTION = [{"role": "user", "content": "How many r's are in strawberry?"}]
HTTP = {
    "OpenAI": openai.DefaultHttpxClient,
    "AsyncOpenAI": openai.DefaultAsyncHttpxClient,
}
CHAT = {"model": "deepseek-flash", "messages": QUESTION}


def sample(name: str, *, pause: float = 0.0) -> Recorded:
    return Recorded.read(SAMPLES / name, pause=pause)


class Telemetry:
    """What the instrumentation has recorded."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meter_provider = MeterProvider(metric_readers=[self._metrics])

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        """The only one there is."""
        (span,) = self.spans
        return span

    @property
    def metrics(self) -> dict[str, list[Any]]:
        """Data points by the name of their metric."""
        data = self._metrics.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def deepseek() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def instrument(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Instrument, with content or without, until the test ends."""

    def instrument(content: str = "", **options: Any) -> None:
        monkeypatch.setenv(
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", content
        )
        DeepSeekInstrumentor().instrument(
            **{
                "tracer_provider": telemetry.tracer_provider,
                "meter_provider": telemetry.meter_provider,
                "hosts": ["127.0.0.1"],
                **options,
            }
        )

    yield instrument
    if DeepSeekInstrumentor().is_instrumented_by_opentelemetry:
        DeepSeekInstrumentor().uninstrument()


@pytest.fixture(params=["OpenAI", "AsyncOpenAI"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def call(kind: str, deepseek: Simulator) -> Callable[..., Any]:
    """Make one call with either client, and read its answer to the end."""

    def call(
        method: str = "create",
        *,
        of: str = "chat.completions",
        using: Callable[[Any], Any] = read_out,
        **arguments: Any,
    ) -> Any:
        async def run() -> Any:
            http = HTTP[kind](verify=False)  # loading certificates takes longest
            made = getattr(openai, kind)(
                base_url=deepseek.base_url,
                api_key="sk-test-1234",
                max_retries=0,
                http_client=http,
            )
            try:
                target = made
                for name in f"{of}.{method}".split("."):
                    target = getattr(target, name)
                answer = target(**(CHAT if "chat" in of else {}) | arguments)
                if inspect.isawaitable(answer):
                    answer = await answer
                used = using(answer)
                return await used if inspect.isawaitable(used) else used
            finally:
                closed = made.close()
                if inspect.isawaitable(closed):
                    await closed

        return asyncio.run(run())

    return call


@pytest.fixture
def compared(
    call: Callable[..., Any],
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> Compared:
    """Make one call twice, without us and with us, and find no difference."""
    from .comparing import Compared  # needs OTLP's encoders

    return Compared(call, instrument, deepseek, telemetry, caplog)


def read_out(answer: Any) -> Any:
    """The chunks of a stream; anything else as it is."""
    if hasattr(answer, "__next__"):
        return list(answer)
    if hasattr(answer, "__anext__"):
        return _aread_out(answer)
    return answer


async def _aread_out(answer: Any) -> list[Any]:
    return [chunk async for chunk in answer]


@pytest.fixture(autouse=True)
def _nothing_was_swallowed(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """What production survives, a test must not: no telemetry may get lost unseen."""
    monkeypatch.setattr(
        "opentelemetry.instrumentation.deepseek._suppress._logged", set[Any]()
    )
    with caplog.at_level(logging.WARNING):
        yield
    if "internal_error" not in request.keywords:
        assert [
            record.getMessage()
            for when in ("setup", "call", "teardown")
            for record in caplog.get_records(when)  # type: ignore[arg-type]
            if record.name.startswith("opentelemetry")
        ] == []
