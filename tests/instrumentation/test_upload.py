"""The completion hook `upload` of opentelemetry-util-genai.

Messages are written to files, and the span and the event have references to them, as
with the official packages.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import openai
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import InputMessage, OutputMessage, TextPart

from .conftest import QUESTION, SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from examples.simulator import Simulator

    from .conftest import Telemetry

REQUEST = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())
INPUT, OUTPUT = "gen_ai.input.messages_ref", "gen_ai.output.messages_ref"
INSTRUCTIONS = "gen_ai.system_instructions_ref"
TOOLS = "gen_ai.tool.definitions_ref"
USER = [
    {
        "role": "user",
        "parts": [{"type": "text", "content": QUESTION[0]["content"]}],
        "name": None,
    }
]


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "upload")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def logs() -> InMemoryLogRecordExporter:
    return InMemoryLogRecordExporter()


@pytest.fixture
def upload(
    uploads: Path, instrument: Callable[..., None], logs: InMemoryLogRecordExporter
) -> Callable[[str], None]:
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    return lambda content: instrument(content, logger_provider=logger_provider)


def references(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (attributes or {}).items() if k.endswith("_ref")}


def uploaded(ref: str) -> Any:
    """Returns the content of the file, once the hook's thread has written it."""
    path = Path(unquote(urlsplit(ref).path))
    for _ in range(500):
        if path.exists() and (written := path.read_text("utf-8")).endswith("\n"):
            return json.loads(written)
        time.sleep(0.01)
    pytest.fail(f"nothing was uploaded to {ref}")


@pytest.mark.parametrize("content", ["", "SPAN_AND_EVENT"])
@pytest.mark.parametrize("stream", [False, True])
def test_messages_are_uploaded_and_referenced(
    upload: Callable[[str], None],
    uploads: Path,
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    logs: InMemoryLogRecordExporter,
    content: str,
    stream: bool,
) -> None:
    upload(content)
    name = (
        "stream_tool_calls_parallel.sse" if stream else "chat_tool_calls_parallel.json"
    )
    deepseek.answer_next(sample(name))

    call(**REQUEST, stream=stream)

    span_references = references(telemetry.span.attributes)
    assert set(span_references) == {INPUT, OUTPUT, TOOLS}
    assert all(ref.startswith(f"file://{uploads}/") for ref in span_references.values())
    roles = [message["role"] for message in uploaded(span_references[INPUT])]
    assert roles == ["user", "assistant", "tool", "tool"]
    (message,) = uploaded(span_references[OUTPUT])
    assert [part["type"] for part in message["parts"]] == [
        "reasoning",
        "tool_call",
        "tool_call",
    ]
    assert message["finish_reason"] == "tool_call"
    (definition,) = uploaded(span_references[TOOLS])
    assert definition["name"] == "get_weather"
    events = [references(log.log_record.attributes) for log in logs.get_finished_logs()]
    assert events == ([span_references] if content else [])
    assert ("gen_ai.output.messages" in telemetry.span.attributes) is bool(content)


def test_response_is_uploaded_with_its_instructions(
    upload: Callable[[str], None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    upload("")
    deepseek.answer_next(sample("responses.json"))

    call(
        resource="responses",
        model="deepseek-flash",
        input="Hi",
        instructions="Be brief.",
    )

    span_references = references(telemetry.span.attributes)
    assert set(span_references) == {INPUT, OUTPUT, INSTRUCTIONS}
    assert uploaded(span_references[INSTRUCTIONS]) == [
        {"type": "text", "content": "Be brief."}
    ]
    (message,) = uploaded(span_references[OUTPUT])
    assert message["finish_reason"] == "stop"


def test_input_of_a_failed_call_is_uploaded(
    upload: Callable[[str], None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    upload("")
    deepseek.answer_next(sample("error_402.json"))

    with pytest.raises(openai.APIStatusError):
        call()

    span_references = references(telemetry.span.attributes)
    assert set(span_references) == {INPUT}
    assert uploaded(span_references[INPUT]) == USER


def test_files_and_references_match_the_official_packages(
    upload: Callable[[str], None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    upload("")
    deepseek.answer_next(sample("chat_plain.json"))
    text = call().choices[0].message.content

    # What the official packages do, with the library's public API.
    handler = TelemetryHandler(
        tracer_provider=telemetry.tracer_provider,
        completion_hook=load_completion_hook(),
    )
    with handler.inference("openai", request_model="deepseek-flash") as inference:
        question = QUESTION[0]["content"]
        inference.input_messages = [InputMessage("user", [TextPart(question)])]
        inference.output_messages = [
            OutputMessage("assistant", [TextPart(text)], "stop")
        ]

    deepseek_references, official_references = (
        references(span.attributes) for span in telemetry.spans
    )
    assert set(deepseek_references) == set(official_references) == {INPUT, OUTPUT}
    for name, ref in deepseek_references.items():
        assert uploaded(ref) == uploaded(official_references[name])
