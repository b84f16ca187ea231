"""The protocol of opentelemetry-util-genai between instrumentations of one call.

Also its conversation ids, completion hooks and content.
"""

from __future__ import annotations

import json
from dataclasses import fields
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, ClassVar

import openai
import pytest
from opentelemetry.trace import StatusCode
from opentelemetry.util.genai.completion_hook import CompletionHook
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import (
    BlobPart,
    FunctionToolDefinition,
    InputMessage,
    OutputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
)

from opentelemetry.instrumentation.deepseek._genai import (
    EnclosingInference,
    InferenceData,
)

from .conftest import QUESTION, SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

REQUEST = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())


@pytest.fixture
def handler(telemetry: Telemetry) -> TelemetryHandler:
    return TelemetryHandler(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        instrumentation_scope_name="other",
    )


@pytest.mark.parametrize(
    ("outer_provider", "provider"), [("openai", "deepseek"), ("x", "x")]
)
def test_call_inside_another_instrumentation_adds_to_its_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    handler: TelemetryHandler,
    outer_provider: str,
    provider: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    with handler.inference(outer_provider, request_model="deepseek-flash"):
        call(stream=True, temperature=0.5)

    span = telemetry.span
    assert span.instrumentation_scope.name == "other"
    attributes = dict(span.attributes)
    assert attributes["gen_ai.provider.name"] == provider
    assert attributes["gen_ai.request.temperature"] == 0.5
    assert attributes["gen_ai.usage.input_tokens"] == 97
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 9
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert attributes["deepseek.response.time_to_first_answer"] > 0
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert point.attributes["gen_ai.provider.name"] == provider
    assert "gen_ai.client.operation.time_per_output_chunk" not in telemetry.metrics


def test_inner_instrumentation_makes_no_second_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    handler: TelemetryHandler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    post = client.chat.completions._post

    def post_inside_inference(*args: Any, **kwargs: Any) -> Any:
        with handler.inference("openai", request_model="deepseek-flash"):
            return post(*args, **kwargs)

    instrument()
    monkeypatch.setattr(client.chat.completions, "_post", post_inside_inference)
    deepseek.answer_next(sample("chat_thinking.json"))
    client.chat.completions.create(model="deepseek-flash", messages=QUESTION)

    assert telemetry.span.attributes["gen_ai.provider.name"] == "deepseek"


def test_enclosing_inference_accepts_data_of_inner_instrumentations() -> None:
    enclosing = EnclosingInference()
    data = InferenceData(response_id="1", attributes={"a": 1}, capture_content=True)

    enclosing.merge(data)

    assert enclosing.response_id == "1"
    assert enclosing.attributes == {"a": 1}
    assert EnclosingInference().attributes == {}
    for field in fields(InferenceData):
        assert getattr(EnclosingInference(), field.name) == getattr(
            InferenceData(), field.name
        )
    with pytest.raises(AttributeError):
        _ = enclosing.no_such_field


def test_enclosing_call_that_captures_content_receives_it(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_thinking.json"))
    handler = TelemetryHandler(tracer_provider=telemetry.tracer_provider)

    with handler.inference("openai") as outer:
        from opentelemetry.context import get_value
        from opentelemetry.util.genai.invocation import CLIENT_INFERENCE_CONTEXT_KEY

        get_value(CLIENT_INFERENCE_CONTEXT_KEY, outer.context).capture_content = True
        call()

    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]


def test_error_is_recorded_on_the_span_of_the_enclosing_call(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    handler: TelemetryHandler,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_402.json"))

    with pytest.raises(openai.APIStatusError), handler.inference("openai"):
        call()

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes["http.response.status_code"] == 402


def test_span_has_conversation_id_of_the_enclosing_agent(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    handler: TelemetryHandler,
) -> None:
    # Fails if the private function of util-genai for this id moves.
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))

    with handler.invoke_local_agent(conversation_id="conv-1"):
        call()

    chat, agent = telemetry.spans
    assert chat.attributes["gen_ai.conversation.id"] == "conv-1"
    assert chat.parent == agent.context


class RecordingHook(CompletionHook):
    completions: ClassVar[list[dict[str, Any]]] = []

    def on_completion(self, **completion: Any) -> None:
        self.completions.append(completion)


def test_completion_hook_receives_library_types_without_content_capture(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RecordingHook, "completions", [])
    entry = EntryPoint(
        "recording", f"{__name__}:RecordingHook", "opentelemetry_genai_completion_hook"
    )
    monkeypatch.setattr(EntryPoint, "load", lambda _: RecordingHook)
    monkeypatch.setattr(
        "opentelemetry.util.genai.completion_hook.entry_points", lambda **_: [entry]
    )
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "recording")
    instrument("NO_CONTENT")
    deepseek.answer_next(sample("chat_tool_calls_parallel.json"))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}

    call(
        messages=[*REQUEST["messages"], {"role": "user", "content": [image]}],
        tools=REQUEST["tools"],
    )

    (completion,) = RecordingHook.completions
    assert completion["span"].context == telemetry.span.context
    assert not any("messages" in name for name in telemetry.span.attributes)
    user, assistant, tool, _, picture = completion["inputs"]
    assert user == InputMessage("user", [TextPart("Weather in Hangzhou and Beijing?")])
    assert isinstance(assistant.parts[0], ReasoningPart)
    assert isinstance(assistant.parts[1], ToolCallRequestPart)
    assert tool.parts == [
        ToolCallResponsePart("24C", "call_00_9V0vrf86Pc9aelHCJMZqnJBo")
    ]
    assert picture.parts == [BlobPart("image/png", "image", b"\x89PN")]
    (output,) = completion["outputs"]
    assert isinstance(output, OutputMessage)
    assert output.finish_reason == "tool_call"
    (definition,) = completion["tool_definitions"]
    assert isinstance(definition, FunctionToolDefinition)
    assert completion["system_instruction"] == []


def test_image_on_a_span_is_base64(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))

    call(**json.loads((SAMPLES / "request_vision.json").read_bytes()))

    (message,) = json.loads(telemetry.span.attributes["gen_ai.input.messages"])
    assert message["parts"][0] == {
        "type": "blob",
        "modality": "image",
        "mime_type": "image/png",
        "content": "iVBORw0KGgo=",
    }


def test_span_text_is_not_escaped_to_ascii(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("chat_plain.json"))

    call(messages=[{"role": "user", "content": "你好 \x00"}])

    assert "你好 \\u0000" in telemetry.span.attributes["gen_ai.input.messages"]
