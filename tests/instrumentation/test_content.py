"""Message content is recorded only on the signals for which it is enabled."""

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

from examples.simulator import RecordedResponse

from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

REQUEST = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())
CONTENT_TEXTS = [
    "Weather in",
    "Hangzhou",
    "wants the weather",
    "24C",
    "Get weather of",
    "location",
    "get_weather",
]
CONTENT_ATTRIBUTES = {
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
def test_content_is_recorded_on_the_configured_signals_only(
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
    finished_logs = logs.get_finished_logs()
    events = [log.log_record for log in finished_logs]
    assert set(span.attributes) & CONTENT_ATTRIBUTES == (
        CONTENT_ATTRIBUTES if on_span else set()
    )
    assert span.attributes["gen_ai.usage.input_tokens"] == 419
    if on_event is None:
        assert events == []
    else:
        (event,) = events
        assert event.event_name == "gen_ai.client.inference.operation.details"
        assert set(event.attributes) & CONTENT_ATTRIBUTES == (
            CONTENT_ATTRIBUTES if on_event else set()
        )
        assert event.trace_id == span.context.trace_id
    recorded = span.to_json() + repr(telemetry.metrics)
    recorded += "".join(log.to_json() for log in finished_logs)
    assert [text for text in CONTENT_TEXTS if text in recorded] == (
        CONTENT_TEXTS if on_span or on_event else []
    )


def test_span_messages_have_parts_of_the_conventions(
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


def test_event_with_odd_values_is_encodable_by_otlp(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    logs: InMemoryLogRecordExporter,
    logger_provider: LoggerProvider,
) -> None:
    instrument("EVENT_ONLY", logger_provider=logger_provider)
    # A response can hold values that a request cannot.
    body = json.loads((SAMPLES / "chat_tool_calls_parallel.json").read_bytes())
    message = body["choices"][0]["message"]
    message["content"] = "half \ud800 a pair"
    arguments = f'{{"big": {2**70}, "small": 7, "yes": true, "none": null, "x": [1.5]}}'
    message["tool_calls"][0]["function"]["arguments"] = arguments
    deepseek.answer_next(RecordedResponse(body=json.dumps(body).encode()))
    call()

    encoded = encode_logs(logs.get_finished_logs()).SerializeToString()
    assert b"half ? a pair" in encoded
    assert str(2**70).encode() in encoded


def test_messages_are_not_converted_if_span_is_not_recording(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    converted: list[str] = []
    for name in ("input_messages", "tool_definitions"):
        monkeypatch.setattr(
            f"opentelemetry.instrumentation.deepseek._operations.{name}",
            lambda _, name=name: converted.append(name),
        )
    instrument("SPAN_ONLY", tracer_provider=TracerProvider(sampler=ALWAYS_OFF))
    deepseek.answer_next(sample("chat_plain.json"))

    call()

    assert converted == []
