"""Fixtures: real `openai` clients that call a simulated DeepSeek over HTTP."""

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

from examples.simulator import RecordedResponse, Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from .comparison import Comparison

SAMPLES = Path(__file__).parent.parent / "deepseek_samples"
QUESTION = [{"role": "user", "content": "How many r's are in strawberry?"}]
HTTP_CLIENT_CLASSES = {
    "OpenAI": openai.DefaultHttpxClient,
    "AsyncOpenAI": openai.DefaultAsyncHttpxClient,
}
CHAT = {"model": "deepseek-flash", "messages": QUESTION}


def sample(name: str, *, pause: float = 0.0) -> RecordedResponse:
    return RecordedResponse.from_file(SAMPLES / name, pause=pause)


class Telemetry:
    """Providers that collect spans and metrics in memory."""

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
        """The only finished span; asserts that there is exactly one."""
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
    """Instruments, with or without content capture, until the test ends."""

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
def client_class(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def call(client_class: str, deepseek: Simulator) -> Callable[..., Any]:
    """Makes one call with either client, and consumes its result."""

    def call(
        method: str = "create",
        *,
        resource: str = "chat.completions",
        consume: Callable[[Any], Any] = read_all,
        **arguments: Any,
    ) -> Any:
        async def run() -> Any:
            # Loading certificates would take longer than the rest of the call.
            http_client = HTTP_CLIENT_CLASSES[client_class](verify=False)
            client = getattr(openai, client_class)(
                base_url=deepseek.base_url,
                api_key="sk-test-1234",
                max_retries=0,
                http_client=http_client,
            )
            try:
                function = client
                for name in f"{resource}.{method}".split("."):
                    function = getattr(function, name)
                defaults = CHAT if "chat" in resource else {}
                result = function(**defaults | arguments)
                if inspect.isawaitable(result):
                    result = await result
                consumed = consume(result)
                return await consumed if inspect.isawaitable(consumed) else consumed
            finally:
                closing = client.close()
                if inspect.isawaitable(closing):
                    await closing

        return asyncio.run(run())

    return call


@pytest.fixture
def comparison(
    call: Callable[..., Any],
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> Comparison:
    """Asserts that a call behaves as it does without instrumentation."""
    from .comparison import Comparison  # imports OTLP's encoders

    return Comparison(call, instrument, deepseek, telemetry, caplog)


def read_all(result: Any) -> Any:
    """Returns the chunks of a stream; anything else as it is."""
    if hasattr(result, "__next__"):
        return list(result)
    if hasattr(result, "__anext__"):
        return _read_all_async(result)
    return result


async def _read_all_async(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


@pytest.fixture(autouse=True)
def _fail_on_suppressed_errors(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Fails a test if the instrumentation has suppressed and logged an error."""
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
            # That a host is not configured is no error.
            and not record.name.endswith("._endpoint")
        ] == []
