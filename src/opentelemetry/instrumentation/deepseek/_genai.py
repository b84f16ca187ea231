"""The one door to `opentelemetry-util-genai`: vocabulary, switches and protocol.

The library is young and renames things between releases (eight in fourteen months), so
whatever we use of it comes through here. Spans we make ourselves: its own life cycle
takes longer than the rest of a call together, and drops zeros.
"""

from __future__ import annotations

import os
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

# Private: the id that an enclosing `handler.invoke_local_agent(conversation_id=…)` put
# on the context. There is no public reader; a test fails when it moves.
from opentelemetry.util.genai._conversation_context import get_ambient_conversation_id
from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.environment_variables import (
    OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK,
    OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT,
)
from opentelemetry.util.genai.invocation import (
    CLIENT_INFERENCE_CONTEXT_KEY,
    InferenceData,
)
from opentelemetry.util.genai.types import (
    BlobPart,
    ContentCapturingMode,
    FilePart,
    FunctionToolDefinition,
    GenericToolDefinition,
    InputMessage,
    OutputMessage,
    ReasoningPart,
    ServerToolCallPart,
    ServerToolCallResponsePart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
    UriPart,
)
from opentelemetry.util.genai.utils import (
    fq_exception_type,
    get_content_capturing_mode,
    image_from_url,
    object_to_any_value,
)

from ._coerce import DICT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.util.genai.completion_hook import CompletionHook

__all__ = [
    "CLIENT_INFERENCE_CONTEXT_KEY",
    "Content",
    "ContentSwitch",
    "Enclosing",
    "InferenceData",
    "fq_exception_type",
    "get_ambient_conversation_id",
    "image_from_url",
    "plain",
    "publish",
]

Json = dict[str, Any]

_PLAIN: Final = frozenset({str, int, bool, type(None)})
_PARTS: Final[Mapping[str, type]] = {
    "blob": BlobPart,
    "file": FilePart,
    "reasoning": ReasoningPart,
    "server_tool_call": ServerToolCallPart,
    "server_tool_call_response": ServerToolCallResponsePart,
    "text": TextPart,
    "tool_call": ToolCallRequestPart,
    "tool_call_response": ToolCallResponsePart,
    "uri": UriPart,
}


class Content(NamedTuple):
    """What was said, in the conventions' shape."""

    inputs: Sequence[Json] = ()
    outputs: Sequence[Json] = ()
    instructions: Sequence[Json] = ()
    tools: Sequence[Json] = ()


class Enclosing(InferenceData):
    """Tells the instrumentations within a call that it is being observed.

    What they tell in turn is not read. Room for it, which takes as long to make as a
    quarter of a span, is made when it is asked for.
    """

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        # Plain defaults are found on the class.
        for field in fields(self):
            if field.name == name and field.default_factory is not MISSING:
                value: Any = field.default_factory()
                setattr(self, name, value)
                return value
        raise AttributeError(name)


def plain(value: Any) -> Any:
    """`value` as JSON has it, as far as it can be; what cannot be is left out."""
    if type(value) in _PLAIN or (
        # As most arguments of tools are.
        type(value) in DICT
        and all(
            type(name) is str and type(said) in _PLAIN for name, said in value.items()
        )
    ):
        return value
    # The SDK puts what came where something else should have: pydantic would warn of
    # that when it is dumped, and no caller should see a warning because of us.
    if hasattr(value, "__pydantic_serializer__"):
        value = value.model_dump(warnings=False)
    return object_to_any_value(value)


class ContentSwitch:
    """Where content is wanted, by the settings at the time of making."""

    def __init__(self) -> None:
        mode = get_content_capturing_mode()
        both = ContentCapturingMode.SPAN_AND_EVENT
        self.on_spans: Final = mode in (ContentCapturingMode.SPAN_ONLY, both)
        self.on_events: Final = mode in (ContentCapturingMode.EVENT_ONLY, both)
        emit = os.environ.get(OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT, "").strip().lower()
        self.events: Final = emit == "true" or (self.on_events and emit != "false")
        self.hook: Final[CompletionHook | None] = (
            load_completion_hook()
            if os.environ.get(OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK)
            else None
        )

    def complete(self, content: Content, span: Any, log_record: Any) -> None:
        """Hand `content` to the completion hook, if there is one; it never raises."""
        if self.hook is not None:
            self.hook.on_completion(
                **_objects(content), span=span, log_record=log_record
            )


def publish(
    attributes: Mapping[str, Any], content: Content, outer: InferenceData
) -> None:
    """Tell the instrumentation around us, whose span it is, what we know."""
    data = InferenceData()
    for name, value in attributes.items():
        field = name.removeprefix("gen_ai.").replace(".", "_")
        if hasattr(data, field):
            setattr(data, field, value)
        else:
            data.attributes[name] = value
    if outer.capture_content:
        said = _objects(content)
        data.input_messages = said["inputs"]
        data.output_messages = said["outputs"]
        data.system_instructions = said["system_instruction"]
        data.tool_definitions = said["tool_definitions"]
    outer.merge(data, overwrite=True)


def _objects(content: Content) -> dict[str, Any]:
    """The library's own types, under the names that its hooks take."""
    return {
        "inputs": [_message(InputMessage, message) for message in content.inputs],
        "outputs": [_message(OutputMessage, message) for message in content.outputs],
        "system_instruction": [_part(part) for part in content.instructions],
        "tool_definitions": [
            _object(
                FunctionToolDefinition
                if tool["type"] == "function"
                else GenericToolDefinition,
                tool,
            )
            for tool in content.tools
        ]
        or None,
    }


def _message(kind: type, message: Json) -> Any:
    return _object(kind, message | {"parts": [_part(p) for p in message["parts"]]})


def _part(part: Json) -> Any:
    return _object(_PARTS[part["type"]], part)


def _object(kind: Any, json: Json) -> Any:
    return kind(**{field.name: json.get(field.name) for field in fields(kind)})
