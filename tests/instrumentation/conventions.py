"""Checks a span against the text of the GenAI conventions for a client inference.

The published schema ends its list of parts with one of any `type`, and so accepts
nearly everything. The tables here follow the text of the conventions.
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
from opentelemetry.trace import SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

SCHEMAS = {
    f"gen_ai.{name.replace('-', '.', 1)}": json.loads(
        (Path(__file__).parents[1] / f"genai_schemas/gen-ai-{name}.json").read_text()
    )
    for name in ("input-messages", "output-messages", "tool-definitions")
} | {
    "gen_ai.system_instructions": json.loads(
        (
            Path(__file__).parents[1] / "genai_schemas/gen-ai-system-instructions.json"
        ).read_text()
    )
}

TYPES: Mapping[str, type] = {
    "deepseek.request.thinking.type": str,
    "deepseek.response.system_fingerprint": str,
    "deepseek.response.time_to_first_answer": float,
    "deepseek.response.time_to_first_reasoning": float,
    "deepseek.response.trace_id": str,
    "deepseek.server.type": str,
    "error.type": str,
    "gen_ai.conversation.id": str,
    "gen_ai.input.messages": str,
    "gen_ai.operation.name": str,
    "gen_ai.output.messages": str,
    "gen_ai.output.type": str,
    "gen_ai.provider.name": str,
    "gen_ai.request.choice.count": int,
    "gen_ai.request.frequency_penalty": float,
    "gen_ai.request.max_tokens": int,
    "gen_ai.request.model": str,
    "gen_ai.request.presence_penalty": float,
    "gen_ai.request.previous_response.id": str,
    "gen_ai.request.reasoning.level": str,
    "gen_ai.request.seed": int,
    "gen_ai.request.stop_sequences": tuple,
    "gen_ai.request.stream": bool,
    "gen_ai.request.temperature": float,
    "gen_ai.request.top_p": float,
    "gen_ai.response.finish_reasons": tuple,
    "gen_ai.response.id": str,
    "gen_ai.response.model": str,
    "gen_ai.response.time_to_first_chunk": float,
    "gen_ai.system_instructions": str,
    "gen_ai.tool.definitions": str,
    "gen_ai.usage.cache_read.input_tokens": int,
    "gen_ai.usage.input_tokens": int,
    "gen_ai.usage.output_tokens": int,
    "gen_ai.usage.reasoning.output_tokens": int,
    "http.response.status_code": int,
    "server.address": str,
    "server.port": int,
}
REQUIRED = {
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.finish_reasons",
    "server.address",
    "server.port",
}
# The type of a part -> its required and its optional fields.
PARTS: Mapping[str, tuple[set[str], set[str]]] = {
    "text": ({"content"}, set()),
    "reasoning": ({"content"}, set()),
    "tool_call": ({"name"}, {"id", "arguments"}),
    "tool_call_response": ({"response"}, {"id"}),
    "server_tool_call": ({"name", "server_tool_call"}, {"id"}),
    "blob": ({"modality", "content"}, {"mime_type"}),
    "file": ({"modality", "file_id"}, {"mime_type"}),
    "uri": ({"modality", "uri"}, {"mime_type"}),
}
ROLES = {"system", "user", "assistant", "tool"}
FINISH_REASONS = {"stop", "length", "content_filter", "tool_call", "error"}


def check_span(span: ReadableSpan) -> None:
    attributes = dict(span.attributes or {})
    operation = attributes["gen_ai.operation.name"]
    assert operation in {"chat", "text_completion"}
    assert span.name == f"{operation} {attributes['gen_ai.request.model']}"
    assert span.kind is SpanKind.CLIENT
    assert attributes["gen_ai.provider.name"] == "deepseek"
    assert attributes.keys() >= REQUIRED
    assert {
        name: type(value)
        for name, value in attributes.items()
        if type(value) is not TYPES[name]
    } == {}
    has_failed = span.status.status_code is StatusCode.ERROR
    assert span.status.status_code is not StatusCode.OK
    assert ("error.type" in attributes) == has_failed
    assert attributes.get("gen_ai.usage.cache_read.input_tokens", 0) <= attributes.get(
        "gen_ai.usage.input_tokens", 0
    )
    assert attributes.get("gen_ai.usage.reasoning.output_tokens", 0) <= attributes.get(
        "gen_ai.usage.output_tokens", 0
    )
    check_content(
        {name: json.loads(attributes[name]) for name in SCHEMAS if name in attributes},
        attributes["gen_ai.response.finish_reasons"],
    )


def check_content(content: Mapping[str, Any], finish_reasons: Sequence[str]) -> None:
    """Checks content by attribute name, as parsed JSON or as values of an event."""
    for name, value in content.items():
        jsonschema.validate(value, SCHEMAS[name])
    for message in content.get("gen_ai.input.messages", ()):
        assert message.keys() - {"name"} == {"role", "parts"}
        _check_message(message)
    outputs = content.get("gen_ai.output.messages", ())
    if outputs:
        assert len(outputs) == len(finish_reasons)
    for message in outputs:
        assert message.keys() == {"role", "parts", "finish_reason"}
        assert message["role"] == "assistant"
        assert message["finish_reason"] in FINISH_REASONS
        _check_message(message)
    for part in content.get("gen_ai.system_instructions", ()):
        assert part["type"] == "text"
        _check_part(part)
    for tool in content.get("gen_ai.tool.definitions", ()):
        assert isinstance(tool["name"], str)
        assert tool.keys() <= {"type", "name", "description", "parameters"}


def _check_message(message: Mapping[str, Any]) -> None:
    assert message["role"] in ROLES
    part_types = [part["type"] for part in message["parts"]]
    generated = [
        kind for kind in part_types if kind in {"reasoning", "text", "tool_call"}
    ]
    # DeepSeek generates reasoning, text and tool calls in this (alphabetical) order.
    assert generated == sorted(generated)
    for part in message["parts"]:
        _check_part(part)


def _check_part(part: Mapping[str, Any]) -> None:
    required, optional = PARTS[part["type"]]
    assert required <= part.keys() - {"type"} <= required | optional
    assert None not in part.values()
    match part["type"]:
        case "text" | "reasoning":
            assert isinstance(part["content"], str)
            assert part["content"]
        case "blob":
            content = part["content"]
            assert isinstance(content, bytes) or b64decode(content, validate=True)
        case "uri":
            assert not part["uri"].startswith("data:")
        case "server_tool_call":
            assert isinstance(part["server_tool_call"]["type"], str)
        case _:
            pass
