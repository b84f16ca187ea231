"""Collects a chat or text completion, whole or in chunks, as response attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ._choice import Choice, WholeChoice
from ._coerce import EMPTY, as_count, as_text, declared_fields_of, fields_of, items_of
from ._messages import output_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(slots=True)
class ResponseAccumulator:
    """Collects the parts of a response until its attributes and messages are read.

    `wants_content` is False if no content is recorded; then no text is stored. `error`
    is what a body contains instead of an answer. Times are values of `perf_counter`.
    Any field may be missing or have a wrong type, because the SDK validates nothing
    that DeepSeek sends.
    """

    wants_content: bool
    # The field that a whole response has, and that a stream does not have.
    response_field: str = field(default="choices", init=False)
    chunk_count: int = 0
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: object = None
    error: object = None
    whole_choices: list[WholeChoice] = field(default_factory=list[WholeChoice])
    # Those of a stream, by their `index`.
    choices: dict[int, Choice] = field(default_factory=dict[int, Choice])
    first_reasoning_time: float | None = None
    first_answer_time: float | None = None

    @property
    def is_finished(self) -> bool:
        return self.error is not None or (
            bool(self.choices)
            and all(choice.finish_reason for choice in self.choices.values())
        )

    def add(self, response: object) -> None:
        """Adds a whole response."""
        fields = fields_of(response)
        self._add_fields(fields)
        for choice in items_of(fields.get("choices")):
            choice_fields = fields_of(choice)
            message = choice_fields.get("message")
            if message is None:  # a text completion
                message = {"content": choice_fields.get("text")}
            # In this order and not by `index`: some gateways number all choices 0.
            finish_reason = as_text(choice_fields.get("finish_reason"))
            self.whole_choices.append(WholeChoice(finish_reason, message))
            # OpenRouter reports the failure of a provider here.
            self.error = self.error or choice_fields.get("error") or None

    def add_chunk(self, chunk: object) -> None:
        """Adds a chunk of a stream."""
        self.chunk_count += 1
        fields = declared_fields_of(chunk)
        self._add_fields(fields)
        choices: Sequence[object] = fields.get("choices") or ()
        for position, choice in enumerate(choices):
            self._add_choice(position, declared_fields_of(choice))

    def _add_fields(self, fields: Mapping[str, Any]) -> None:
        # The first chunk of Azure has empty fields.
        if not (self.id and self.model and self.system_fingerprint):
            self.id = self.id or as_text(fields.get("id")) or None
            self.model = self.model or as_text(fields.get("model")) or None
            self.system_fingerprint = (
                self.system_fingerprint
                or as_text(fields.get("system_fingerprint"))
                or None
            )
        # Usage is in the last chunk, which has the finish reason or no choice at all.
        if (usage := fields.get("usage")) is not None:
            self.usage = usage
        if error := fields.get("error"):
            self.error = error

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
        if (delta := fields.get("delta") or fields.get("message")) is not None:
            # Fields that the SDK does not declare are here, such as
            # `reasoning_content`.
            extra = getattr(delta, "__pydantic_extra__", None) or EMPTY
            self._add_delta(choice, declared_fields_of(delta), extra)
        elif text := fields.get("text"):  # a text completion
            self._add_delta(choice, {"content": text}, EMPTY)

    def _add_delta(
        self, choice: Choice, fields: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> None:
        reasoning = (
            extra.get("reasoning_content")
            or fields.get("reasoning_content")
            # The name that gateways to DeepSeek's models use.
            or extra.get("reasoning")
            or fields.get("reasoning")
        )
        if self.first_answer_time is None:
            self._record_times(choice, fields, reasoning)
        if self.wants_content:
            choice.add_delta(fields, reasoning)

    def _record_times(
        self, choice: Choice, fields: Mapping[str, Any], reasoning: object
    ) -> None:
        answer = fields.get("content")
        if answer and isinstance(answer, str):
            tagged_reasoning, answer = choice.think_tags.write(answer)
            reasoning = reasoning or tagged_reasoning
        if reasoning and self.first_reasoning_time is None:
            self.first_reasoning_time = perf_counter()
        if (
            answer
            or fields.get("tool_calls")
            or fields.get("function_call")
            or fields.get("refusal")
        ):
            self.first_answer_time = perf_counter()

    def attributes(self, choice_count: int) -> dict[str, Any]:
        """Returns the response attributes of a span.

        The finish reason is `error` for a choice that was cut off, and for each of the
        `choice_count` requested choices that never arrived.
        """
        finish_reasons = [
            choice.finish_reason or "error" for choice in self._sorted_choices()
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
        return [
            output_message(
                choice.as_message(),
                choice.finish_reason,
                joins_texts=bool(choice.content_parts),
            )
            for choice in self._sorted_choices()
        ]

    def _sorted_choices(self) -> Sequence[Choice | WholeChoice]:
        return self.whole_choices or [
            choice for _, choice in sorted(self.choices.items())
        ]


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
