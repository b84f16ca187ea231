"""The span of every sample response follows the GenAI conventions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)

from . import conventions
from .conftest import SAMPLES, read_all, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

REQUESTS: dict[str, dict[str, Any]] = {
    "chat": {
        **json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes()),
        "temperature": 1,
        "stop": ["END"],
        "response_format": {"type": "json_object"},
        "reasoning_effort": "high",
    },
    "fim": {"model": "deepseek-v4-pro", "prompt": "def f(", "suffix": "return"},
    "responses": {
        "model": "deepseek-flash",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "done"},
        ],
    },
}
RESOURCES = {"chat": "chat.completions", "fim": "completions", "responses": "responses"}
RESPONSE_SAMPLES = sorted(
    path.name
    for pattern in ("chat_*", "prefix_*", "stream_*", "nonstream_*", "fim*", "resp*")
    for path in SAMPLES.glob(pattern)
)
ERROR_SAMPLES = sorted(path.name for path in SAMPLES.glob("error_*"))


@pytest.mark.parametrize("name", RESPONSE_SAMPLES + ERROR_SAMPLES)
@pytest.mark.parametrize("raw", ["", "with_raw_response."])
def test_sample_gives_span_and_event_that_follow_the_conventions(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    raw: str,
) -> None:
    logs = InMemoryLogRecordExporter()
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    instrument("SPAN_AND_EVENT", logger_provider=logger_provider)
    api = next((api for api in RESOURCES if name.startswith(api)), "chat")
    deepseek.answer_next(sample(name))
    stream = {"stream": True} if name.endswith(".sse") else {}

    def parse(response: Any) -> Any:
        return read_all(response.parse())

    try:
        call(
            f"{raw}create",
            resource=RESOURCES[api],
            **REQUESTS[api],
            **stream,
            **({"consume": parse} if raw else {}),
        )
    except openai.APIError:
        assert "error" in name

    conventions.check_span(telemetry.span)
    (event,) = logs.get_finished_logs()
    attributes = dict(event.log_record.attributes or {})
    content = {n: attributes.pop(n) for n in conventions.SCHEMAS if n in attributes}
    assert "gen_ai.input.messages" in content
    conventions.check_content(
        jsonable(content), attributes["gen_ai.response.finish_reasons"]
    )
    assert attributes == {
        key: value
        for key, value in telemetry.span.attributes.items()
        if key not in content
    }


def jsonable(content: Any) -> Any:
    return json.loads(json.dumps(content))


def test_every_provisional_attribute_is_documented() -> None:
    page = (SAMPLES.parents[1] / "docs" / "attributes.md").read_text()
    provisional = [name for name in conventions.TYPES if name.startswith("deepseek.")]
    assert [name for name in provisional if name not in page] == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": "reasoning"},
        {"type": "text", "content": None},
        {"type": "text", "content": ""},
        {"type": "tool_call_response", "id": "1", "result": "x"},
        {"type": "invented", "content": "x"},
        {"type": "uri", "modality": "image", "uri": "data:image/png;base64,AA=="},
    ],
)
def test_check_rejects_parts_that_the_schema_accepts(part: Any) -> None:
    message = {"role": "user", "parts": [part]}
    with pytest.raises((AssertionError, KeyError)):
        conventions.check_content({"gen_ai.input.messages": [message]}, [])
