"""DeepSeek, and what is recorded of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan


@pytest.fixture
def deepseek() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


class Telemetry:
    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._spans))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Whose each span is, and its provider."""
        found = [
            (span.instrumentation_scope.name, span.attributes["gen_ai.provider.name"])
            for span in self.spans
        ]
        self._spans.clear()
        return found


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def switch_on(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Switch on in this order; DeepSeek is at 127.0.0.1, and OpenAI at localhost."""
    from .official import instrumentor  # which skips where `theirs` is not

    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
    )
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "127.0.0.1")

    def switch_on(order: str) -> None:
        for whose in order.split(", "):
            instrumentor(whose).instrument(tracer_provider=telemetry.provider)

    yield switch_on
    for whose in ("ours", "theirs"):
        if instrumentor(whose).is_instrumented_by_opentelemetry:
            instrumentor(whose).uninstrument()
