"""Content is recorded when it was switched on, and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from examples.simulator import Recorded

from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

REQUEST = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())
WORDS = [
    "Weather in",
    "Hangzhou",
    "wants the weather",
    "24C",
    "Get weather of",
    "location",
    "get_weather",
]
CONTENT = {
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.definitions",
}


@pytest.fixture
def logs() -> InMemoryLogRecordExporter:
    return InMemoryLogRecordExporter()


@pytest.fixture
def logger_provider(logs: InMemoryLogRecordExporter) -> LoggerProvider:
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    return provider


@pytest.mark.parametrize(
    ("mode", "on_span", "on_event"),
    [
        ("", False, None),
        ("NO_CONTENT", False, None),
        ("NO_CONTENT, emit", False, False),
        ("SPAN_ONLY", True, None),
        ("SPAN_ONLY, emit", True, False),
        ("EVENT_ONLY", False, True),
        ("SPAN_AND_EVENT", True, True),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_content_goes_where_it_was_switched_on(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    logs: InMemoryLogRecordExporter,
    logger_provider: LoggerProvider,
    mode: str,
    on_span: bool,
    on_event: bool | None,
    stream: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mode, _, emit = mode.partition(", ")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true" if emit else "")
    instrument(mode, logger_provider=logger_provider)
    name = (
        "stream_tool_calls_parallel.sse" if stream else "chat_tool_calls_parallel.json"
    )
    deepseek.answer_next(sample(name))

    call(**REQUEST, stream=stream)

    span = telemetry.span
    readable = logs.get_finished_logs()
    events = [log.log_record for log in readable]
    assert set(span.attributes) & CONTENT == (CONTENT if on_span else set())
    assert span.attributes["gen_ai.usage.input_tokens"] == 419
    if on_event is None:
        assert events == []
    else:
        (event,) = events
        assert event.event_name == "gen_ai.client.inference.operation.details"
        assert set(event.attributes) & CONTENT == (CONTENT if on_event else set())
        assert event.trace_id == span.context.trace_id
    recorded = span.to_json() + repr(telemetry.metrics)
    recorded += "".join(log.to_json() for log in readable)
    assert [word for word in WORDS if word in recorded] == (
        WORDS if on_span or on_event else []
    )


def test_messages_on_a_span_are_the_conventions_parts(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_tool_calls_parallel.sse"))

    call(**REQUEST, stream=True)

    assert json.loads(telemetry.span.attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Need weather for both."},
                {
                    "type": "tool_call",
                    "id": "call_00_9V0vrf86Pc9aelHCJMZqnJBo",
                    "name": "get_weather",
                    "arguments": {"location": "Hangzhou"},
                },
                {
                    "type": "tool_call",
                    "id": "call_01_Qm2cT7yXk4LwZ0bR8sNvHdEa",
                    "name": "get_weather",
                    "arguments": {"location": "Beijing"},
                },
            ],
            "finish_reason": "tool_call",
        }
    ]
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == (
        "tool_calls",
    )


def test_an_event_holds_nothing_that_otlp_cannot_carry(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    logs: InMemoryLogRecordExporter,
    logger_provider: LoggerProvider,
) -> None:
    instrument("EVENT_ONLY", logger_provider=logger_provider)
    # What came over the wire can hold what no request can.
    odd = json.loads((SAMPLES / "chat_tool_calls_parallel.json").read_bytes())
    message = odd["choices"][0]["message"]
    message["content"] = "half \ud800 a pair"
    arguments = f'{{"big": {2**70}, "small": 7, "yes": true, "none": null, "x": [1.5]}}'
    message["tool_calls"][0]["function"]["arguments"] = arguments
    deepseek.answer_next(Recorded(body=json.dumps(odd).encode()))
    call()

    encoded = encode_logs(logs.get_finished_logs()).SerializeToString()
    assert b"half ? a pair" in encoded
    assert str(2**70).encode() in encoded


def test_nothing_is_read_of_a_message_that_nobody_will_record(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    for name in ("input_messages", "tool_definitions"):
        monkeypatch.setattr(
            f"opentelemetry.instrumentation.deepseek._operations.{name}",
            lambda _, name=name: read.append(name),
        )
    instrument("SPAN_ONLY", tracer_provider=TracerProvider(sampler=ALWAYS_OFF))
    deepseek.answer_next(sample("chat_plain.json"))

    call()

    assert read == []
