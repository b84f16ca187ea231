"""Fixtures: a simulated DeepSeek, recorded spans and the two instrumentors."""

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

    def take_scopes_and_providers(self) -> list[tuple[str, str]]:
        """Returns the scope and provider of each span, and clears the spans."""
        pairs = [
            (span.instrumentation_scope.name, span.attributes["gen_ai.provider.name"])
            for span in self.spans
        ]
        self._spans.clear()
        return pairs


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def instrument(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Instruments in the given order, with 127.0.0.1 as the only host of DeepSeek."""
    # Imported late, because the module skips the tests if genai-openai is missing.
    from .calls import instrumentor

    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
    )
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "127.0.0.1")

    def instrument(order: str) -> None:
        for name in order.split(", "):
            instrumentor(name).instrument(tracer_provider=telemetry.provider)

    yield instrument
    for name in ("deepseek", "openai"):
        if instrumentor(name).is_instrumented_by_opentelemetry:
            instrumentor(name).uninstrument()
