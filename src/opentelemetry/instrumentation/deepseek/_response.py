"""Collects a chat or text completion, whole or in chunks, as response attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ._choice import Choice, ToolCall
from ._coerce import EMPTY, as_count, as_int, as_text, field_of, fields_of
from ._messages import output_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(slots=True)
class ResponseAccumulator:
    """Collects the parts of a response until its attributes and messages are read.

    `wants_content` is False if no content is recorded; then no text is stored. Times
    are values of `perf_counter`.
    """

    wants_content: bool
    # The field that a whole response has, and that a stream does not have.
    response_field: str = field(default="choices", init=False)
    part_count: int = 0
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: object = None
    choices: dict[int, Choice] = field(default_factory=dict[int, Choice])
    first_reasoning_time: float | None = None
    first_answer_time: float | None = None

    @property
    def is_finished(self) -> bool:
        return bool(self.choices) and all(
            choice.finish_reason for choice in self.choices.values()
        )

    def add(self, part: object) -> None:
        """Adds a chunk, or a completion, which has `message` instead of `delta`.

        Any field may be missing or have a wrong type, because the SDK validates
        nothing that DeepSeek sends.
        """
        fields = part.__dict__
        self.part_count += 1
        if self.part_count == 1:
            self.id = as_text(fields.get("id"))
            self.model = as_text(fields.get("model"))
            self.system_fingerprint = as_text(fields.get("system_fingerprint"))
        # Usage is in the last chunk, which has the finish reason or no choice at all.
        if (usage := fields.get("usage")) is not None:
            self.usage = usage
        choices: Sequence[object] = fields.get("choices") or ()
        for position, choice in enumerate(choices):
            self._add_choice(position, choice.__dict__)

    def _add_choice(self, position: int, fields: Mapping[str, Any]) -> None:
        index = fields.get("index")
        if not isinstance(index, int):
            index = position
        if (choice := self.choices.get(index)) is None:
            choice = self.choices[index] = Choice()
        if (finish_reason := fields.get("finish_reason")) is not None:
            choice.finish_reason = as_text(finish_reason)
        if self.first_answer_time is not None and not self.wants_content:
            return  # the rest of this choice is only text
        if (message := fields.get("delta") or fields.get("message")) is not None:
            # Fields that the SDK does not declare are here, such as
            # `reasoning_content`.
            extra = getattr(message, "__pydantic_extra__", None) or EMPTY
            self._add_message(choice, message.__dict__, extra)
        elif text := fields.get("text"):  # a text completion
            self._add_message(choice, {"content": text}, EMPTY)

    def _add_message(
        self, choice: Choice, fields: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> None:
        reasoning = (
            extra.get("reasoning_content")
            or fields.get("reasoning_content")
            # The name that gateways to DeepSeek's models use.
            or extra.get("reasoning")
            or fields.get("reasoning")
        )
        if reasoning:
            if self.first_reasoning_time is None:
                self.first_reasoning_time = perf_counter()
            if self.wants_content and isinstance(reasoning, str):
                choice.reasoning.write(reasoning)
        content, tool_calls = fields.get("content"), fields.get("tool_calls")
        if content or tool_calls:
            if self.first_answer_time is None:
                self.first_answer_time = perf_counter()
            if self.wants_content:
                if isinstance(content, str):
                    choice.content.write(content)
                for position, tool_call in enumerate(tool_calls or ()):
                    _add_tool_call(choice.tool_calls, position, tool_call)

    def attributes(self, choice_count: int) -> dict[str, Any]:
        """Returns the response attributes of a span.

        The finish reason is `error` for a choice that was cut off, and for each of the
        `choice_count` requested choices that never arrived.
        """
        finish_reasons = [
            choice.finish_reason or "error"
            for _, choice in sorted(self.choices.items())
        ]
        finish_reasons.extend(["error"] * (choice_count - len(finish_reasons)))
        attributes: dict[str, Any] = {
            "gen_ai.response.finish_reasons": finish_reasons,
            "gen_ai.response.id": self.id,
            "gen_ai.response.model": self.model,
            "deepseek.response.system_fingerprint": self.system_fingerprint,
        }
        if self.usage is not None:
            attributes |= _usage_attributes(self.usage)
        return {name: value for name, value in attributes.items() if value is not None}

    def messages(self) -> list[dict[str, Any]]:
        return [output_message(choice) for _, choice in sorted(self.choices.items())]


def _add_tool_call(
    tool_calls: dict[int, ToolCall], position: int, delta: object
) -> None:
    index = as_int(field_of(delta, "index"))
    tool_call = tool_calls.setdefault(position if index is None else index, ToolCall())
    tool_call.id = as_text(field_of(delta, "id")) or tool_call.id
    function = field_of(delta, "function")
    tool_call.name = as_text(field_of(function, "name")) or tool_call.name
    tool_call.arguments.write(as_text(field_of(function, "arguments")) or "")


def _usage_attributes(usage: object) -> dict[str, int | None]:
    fields = fields_of(usage)
    prompt = fields_of(fields.get("prompt_tokens_details"))
    completion = fields_of(fields.get("completion_tokens_details"))
    # 0 means no cache hit; None means unknown.
    if (hits := as_count(fields.get("prompt_cache_hit_tokens"))) is None:
        # The names in DeepSeek's documentation, and in OpenAI's API.
        hits = as_count(
            prompt.get("prompt_cache_hit_tokens", prompt.get("cached_tokens"))
        )
    return {
        "gen_ai.usage.input_tokens": as_count(fields.get("prompt_tokens")),
        "gen_ai.usage.output_tokens": as_count(fields.get("completion_tokens")),
        "gen_ai.usage.cache_read.input_tokens": hits,
        "gen_ai.usage.reasoning.output_tokens": as_count(
            completion.get("reasoning_tokens")
        ),
    }
