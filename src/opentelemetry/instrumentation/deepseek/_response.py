"""What the model answered, from a completion or from chunks, as telemetry."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ._choice import Choice, ToolCall
from ._coerce import NOTHING, count, fields, member, text, whole
from ._messages import output_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(slots=True)
class Answer:
    """Grows by `add`, until it is read.

    `keeps_text` is false where nobody will record content. Times are `perf_counter`s.
    """

    keeps_text: bool
    # The field by which a whole answer is told from a stream of its parts.
    whole: str = field(default="choices", init=False)
    parts: int = 0
    id: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    usage: object = None
    choices: dict[int, Choice] = field(default_factory=dict[int, Choice])
    first_reasoning_at: float | None = None
    first_answer_at: float | None = None

    @property
    def finished(self) -> bool:
        return bool(self.choices) and all(
            choice.finish_reason for choice in self.choices.values()
        )

    def add(self, part: object) -> None:
        """Add a chunk; or a completion, one big chunk that says `message` for `delta`.

        Any field may be missing or odd: the SDK checks nothing that DeepSeek sends.
        """
        said = part.__dict__
        self.parts += 1
        if self.parts == 1:
            self.id = text(said.get("id"))
            self.model = text(said.get("model"))
            self.fingerprint = text(said.get("system_fingerprint"))
        # Usage comes with the last chunk, beside the finish reason or alone.
        if (usage := said.get("usage")) is not None:
            self.usage = usage
        choices: Sequence[object] = said.get("choices") or ()
        for position, choice in enumerate(choices):
            self._choose(position, choice.__dict__)

    def _choose(self, position: int, said: Mapping[str, Any]) -> None:
        index = said.get("index")
        if not isinstance(index, int):
            index = position
        if (choice := self.choices.get(index)) is None:
            choice = self.choices[index] = Choice()
        if (finish_reason := said.get("finish_reason")) is not None:
            choice.finish_reason = text(finish_reason)
        if self.first_answer_at is not None and not self.keeps_text:
            return  # nothing is left to be heard
        if (words := said.get("delta") or said.get("message")) is not None:
            # What the SDK does not know stands apart: `reasoning_content` does.
            more = getattr(words, "__pydantic_extra__", None) or NOTHING
            self._hear(choice, words.__dict__, more)
        elif written := said.get("text"):  # a text completion
            self._hear(choice, {"content": written}, NOTHING)

    def _hear(
        self, choice: Choice, said: Mapping[str, Any], more: Mapping[str, Any]
    ) -> None:
        reasoning = (
            more.get("reasoning_content")
            or said.get("reasoning_content")
            # Gateways in front of DeepSeek's models say `reasoning`.
            or more.get("reasoning")
            or said.get("reasoning")
        )
        if reasoning:
            if self.first_reasoning_at is None:
                self.first_reasoning_at = perf_counter()
            if self.keeps_text and isinstance(reasoning, str):
                choice.reasoning.write(reasoning)
        content, calls = said.get("content"), said.get("tool_calls")
        if content or calls:
            if self.first_answer_at is None:
                self.first_answer_at = perf_counter()
            if self.keeps_text:
                if isinstance(content, str):
                    choice.content.write(content)
                for position, called in enumerate(calls or ()):
                    _call(choice.tool_calls, position, called)

    def attributes(self, expected: int) -> dict[str, Any]:
        """What a span says of the answer.

        A choice whose finish never arrived is `error`: one that broke off, and those
        of the `expected` number that never came.
        """
        finishes = [
            choice.finish_reason or "error"
            for _, choice in sorted(self.choices.items())
        ]
        finishes.extend(["error"] * (expected - len(finishes)))
        said: dict[str, Any] = {
            "gen_ai.response.finish_reasons": finishes,
            "gen_ai.response.id": self.id,
            "gen_ai.response.model": self.model,
            "deepseek.response.system_fingerprint": self.fingerprint,
        }
        if self.usage is not None:
            said |= _usage(self.usage)
        return {name: value for name, value in said.items() if value is not None}

    def messages(self) -> list[dict[str, Any]]:
        return [output_message(choice) for _, choice in sorted(self.choices.items())]


def _call(calls: dict[int, ToolCall], position: int, called: object) -> None:
    index = whole(member(called, "index"))
    call = calls.setdefault(position if index is None else index, ToolCall())
    call.id = text(member(called, "id")) or call.id
    function = member(called, "function")
    call.name = text(member(function, "name")) or call.name
    call.arguments.write(text(member(function, "arguments")) or "")


def _usage(usage: object) -> dict[str, int | None]:
    said = fields(usage)
    prompt = fields(said.get("prompt_tokens_details"))
    completion = fields(said.get("completion_tokens_details"))
    # No hit is not the same as not known.
    if (hits := count(said.get("prompt_cache_hit_tokens"))) is None:
        # So DeepSeek's tables say, and so OpenAI does.
        hits = count(prompt.get("prompt_cache_hit_tokens", prompt.get("cached_tokens")))
    return {
        "gen_ai.usage.input_tokens": count(said.get("prompt_tokens")),
        "gen_ai.usage.output_tokens": count(said.get("completion_tokens")),
        "gen_ai.usage.cache_read.input_tokens": hits,
        "gen_ai.usage.reasoning.output_tokens": count(
            completion.get("reasoning_tokens")
        ),
    }
