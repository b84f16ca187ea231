"""util-genai's completion hook `upload`: what was said goes to files, and the span and
the event say to which, as with the official packages."""

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


def refs(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (attributes or {}).items() if k.endswith("_ref")}


def uploaded(ref: str) -> Any:
    """What is in the file, once the hook's thread has written it."""
    path = Path(unquote(urlsplit(ref).path))
    for _ in range(500):
        if path.exists() and (written := path.read_text("utf-8")).endswith("\n"):
            return json.loads(written)
        time.sleep(0.01)
    pytest.fail(f"nothing was uploaded to {ref}")


@pytest.mark.parametrize("content", ["", "SPAN_AND_EVENT"])
@pytest.mark.parametrize("stream", [False, True])
def test_what_was_said_is_uploaded_and_referred_to(
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
    kind = "stream" if stream else "chat"
    ending = "sse" if stream else "json"
    deepseek.answer_next(sample(f"{kind}_tool_calls_parallel.{ending}"))

    call(**REQUEST, stream=stream)

    found = refs(telemetry.span.attributes)
    assert set(found) == {INPUT, OUTPUT, TOOLS}
    assert all(ref.startswith(f"file://{uploads}/") for ref in found.values())
    roles = [message["role"] for message in uploaded(found[INPUT])]
    assert roles == ["user", "assistant", "tool", "tool"]
    (said,) = uploaded(found[OUTPUT])
    assert [part["type"] for part in said["parts"]] == [
        "reasoning",
        "tool_call",
        "tool_call",
    ]
    assert said["finish_reason"] == "tool_call"
    (definition,) = uploaded(found[TOOLS])
    assert definition["name"] == "get_weather"
    events = [refs(log.log_record.attributes) for log in logs.get_finished_logs()]
    assert events == ([found] if content else [])
    assert ("gen_ai.output.messages" in telemetry.span.attributes) is bool(content)


def test_a_response_is_uploaded_with_its_instructions(
    upload: Callable[[str], None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    upload("")
    deepseek.answer_next(sample("responses.json"))

    call(of="responses", model="deepseek-flash", input="Hi", instructions="Be brief.")

    found = refs(telemetry.span.attributes)
    assert set(found) == {INPUT, OUTPUT, INSTRUCTIONS}
    assert uploaded(found[INSTRUCTIONS]) == [{"type": "text", "content": "Be brief."}]
    (said,) = uploaded(found[OUTPUT])
    assert said["finish_reason"] == "stop"


def test_of_a_failed_call_the_question_is_uploaded(
    upload: Callable[[str], None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    upload("")
    deepseek.answer_next(sample("error_402.json"))

    with pytest.raises(openai.APIStatusError):
        call()

    found = refs(telemetry.span.attributes)
    assert set(found) == {INPUT}
    assert uploaded(found[INPUT]) == USER


def test_files_and_references_are_those_of_the_official_packages(
    upload: Callable[[str], None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    upload("")
    deepseek.answer_next(sample("chat_plain.json"))
    answer = call().choices[0].message.content

    # What they do, by the library's public means.
    handler = TelemetryHandler(
        tracer_provider=telemetry.tracer_provider,
        completion_hook=load_completion_hook(),
    )
    with handler.inference("openai", request_model="deepseek-flash") as theirs:
        asked = QUESTION[0]["content"]
        theirs.input_messages = [InputMessage("user", [TextPart(asked)])]
        theirs.output_messages = [
            OutputMessage("assistant", [TextPart(answer)], "stop")
        ]

    ours, official = (refs(span.attributes) for span in telemetry.spans)
    assert set(ours) == set(official) == {INPUT, OUTPUT}
    for name, ref in ours.items():
        assert uploaded(ref) == uploaded(official[name])
