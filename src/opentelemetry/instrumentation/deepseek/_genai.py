"""The only module that imports `opentelemetry-util-genai`.

It uses the library's vocabulary, its settings, and its protocol between two
instrumentations of one call. The library is young and has renamed parts of its API in
eight releases within fourteen months, so all uses are in one place. Spans are not
created through the library: its life cycle takes longer than the rest of a call, and
drops zeros.
"""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

# Private: reads the conversation id that an enclosing `invoke_local_agent()` has put on
# the context. There is no public function; a test fails if this one moves.
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

from ._coerce import DICT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.util.genai.completion_hook import CompletionHook

__all__ = [
    "CLIENT_INFERENCE_CONTEXT_KEY",
    "ContentCapture",
    "EnclosingInference",
    "InferenceData",
    "MessageContent",
    "as_json_value",
    "fq_exception_type",
    "get_ambient_conversation_id",
    "image_from_url",
    "merge_into_enclosing",
]

Json = dict[str, Any]

# As the SDK encodes a request.
_encode_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_JSON_SCALARS: Final = frozenset({str, int, bool, type(None)})
_PART_TYPES: Final[Mapping[str, type]] = {
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


class MessageContent(NamedTuple):
    """Messages, instructions and tools of a call, as JSON of the conventions."""

    input_messages: Sequence[Json] = ()
    output_messages: Sequence[Json] = ()
    system_instructions: Sequence[Json] = ()
    tool_definitions: Sequence[Json] = ()


class EnclosingInference(InferenceData):
    """Marks the context of a call, so that inner instrumentations make no second span.

    They write their data to this object, and nothing reads it. Its fields are created
    on first access, because creating all of them takes as long as a quarter of a span.
    """

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        # Only fields with a default factory get here: other defaults are on the class.
        for field in fields(self):
            if field.name == name and field.default_factory is not MISSING:
                value: Any = field.default_factory()
                setattr(self, name, value)
                return value
        raise AttributeError(name)


def as_json_value(value: Any) -> Any:
    """Returns `value` as JSON values, or as JSON text if these would be incomplete.

    JSON values hold no NaN, have only text as keys, and have a limited depth, because
    the protobuf messages of OTLP have. Without a JSON text, the parts are omitted that
    JSON cannot hold.
    """
    if type(value) in _JSON_SCALARS or (
        # A flat dictionary, as the arguments of most tools are.
        type(value) in DICT_TYPE
        and all(
            type(name) is str and type(item) in _JSON_SCALARS
            for name, item in value.items()
        )
    ):
        return value
    # The SDK does not validate what a server sends. Pydantic would warn of a wrong type
    # when it dumps the object, and the application must not see such a warning.
    if hasattr(value, "__pydantic_serializer__"):
        value = value.model_dump(warnings=False)
    converted = object_to_any_value(value)
    try:
        if converted == value or (text := _encode_json(value)) == _encode_json(
            converted
        ):
            return converted
    except (RecursionError, TypeError, ValueError):
        return converted
    return text


class ContentCapture:
    """Where message content is recorded, by the environment at construction."""

    def __init__(self) -> None:
        mode = get_content_capturing_mode()
        both = ContentCapturingMode.SPAN_AND_EVENT
        self.wants_span_content: Final = mode in (ContentCapturingMode.SPAN_ONLY, both)
        self.wants_event_content: Final = mode in (
            ContentCapturingMode.EVENT_ONLY,
            both,
        )
        emit = os.environ.get(OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT, "").strip().lower()
        self.wants_event: Final = emit == "true" or (
            self.wants_event_content and emit != "false"
        )
        self.completion_hook: Final[CompletionHook | None] = (
            load_completion_hook()
            if os.environ.get(OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK)
            else None
        )

    def call_completion_hook(
        self, content: MessageContent, span: Any, log_record: Any
    ) -> None:
        """Passes `content` to the completion hook, if any; the hook never raises."""
        if self.completion_hook is not None:
            self.completion_hook.on_completion(
                **_as_library_types(content), span=span, log_record=log_record
            )


def merge_into_enclosing(
    attributes: Mapping[str, Any],
    content: MessageContent,
    enclosing: InferenceData,
) -> None:
    """Adds data of this call to the span of the instrumentation around it."""
    data = InferenceData()
    for name, value in attributes.items():
        field = name.removeprefix("gen_ai.").replace(".", "_")
        if hasattr(data, field):
            setattr(data, field, value)
        else:
            data.attributes[name] = value
    if enclosing.capture_content:
        converted = _as_library_types(content)
        data.input_messages = converted["inputs"]
        data.output_messages = converted["outputs"]
        data.system_instructions = converted["system_instruction"]
        data.tool_definitions = converted["tool_definitions"]
    enclosing.merge(data, overwrite=True)


def _as_library_types(content: MessageContent) -> dict[str, Any]:
    """Returns the library's own types, by the argument names of its hooks."""
    return {
        "inputs": [
            _message(InputMessage, message) for message in content.input_messages
        ],
        "outputs": [
            _message(OutputMessage, message) for message in content.output_messages
        ],
        "system_instruction": [_part(part) for part in content.system_instructions],
        "tool_definitions": [
            _from_json(
                FunctionToolDefinition
                if tool["type"] == "function"
                else GenericToolDefinition,
                tool,
            )
            for tool in content.tool_definitions
        ]
        or None,
    }


def _message(message_type: type, message: Json) -> Any:
    parts = [_part(part) for part in message["parts"]]
    return _from_json(message_type, message | {"parts": parts})


def _part(part: Json) -> Any:
    return _from_json(_PART_TYPES[part["type"]], part)


def _from_json(dataclass_type: Any, value: Json) -> Any:
    return dataclass_type(
        **{field.name: value.get(field.name) for field in fields(dataclass_type)}
    )
