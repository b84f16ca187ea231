"""What the model answered, from a completion or from chunks, as telemetry."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ._messages import output_message
from ._text import Text
from ._values import member, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(slots=True)
class ToolCall:
    id: str | None = None
    name: str = ""
    arguments: Text = field(default_factory=Text)


@dataclass(slots=True)
class Choice:
    """One alternative. Its pieces go into buffers, which hold little but text."""

    finish_reason: str | None = None
    content: Text = field(default_factory=Text)
    reasoning: Text = field(default_factory=Text)
    tool_calls: dict[int, ToolCall] = field(default_factory=dict[int, ToolCall])


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

        Fields are looked up in `__dict__`: the SDK checks nothing that DeepSeek sends,
        any may be missing or odd, and asking a pydantic object for what it does not
        have takes longer than all else that is done for a chunk.
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
        words: object = said.get("delta") or said.get("message")
        if words is None and (written := said.get("text")):  # a text completion
            self._hear(choice, {"content": written}, _NOTHING)
        if words is not None:
            # What the SDK does not know stands apart: `reasoning_content` does.
            more: Mapping[str, Any] = getattr(words, "model_extra", None) or _NOTHING
            self._hear(choice, words.__dict__, more)

    def _hear(
        self, choice: Choice, said: Mapping[str, Any], more: Mapping[str, Any]
    ) -> None:
        # Gateways in front of DeepSeek's models say `reasoning`.
        reasoning = (
            more.get("reasoning_content")
            or said.get("reasoning_content")
            or more.get("reasoning")
            or said.get("reasoning")
        )
        if reasoning:
            if self.first_reasoning_at is None:
                self.first_reasoning_at = perf_counter()
            if self.keeps_text and isinstance(reasoning, str):
                choice.reasoning.write(reasoning)
        content: object = said.get("content")
        calls: Any = said.get("tool_calls")
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
        found = {
            "gen_ai.response.finish_reasons": finishes,
            "gen_ai.response.id": self.id,
            "gen_ai.response.model": self.model,
            "deepseek.response.system_fingerprint": self.fingerprint,
            **_usage(self.usage),
        }
        return {name: value for name, value in found.items() if value is not None}

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
    prompt = member(usage, "prompt_tokens_details")
    completion = member(usage, "completion_tokens_details")
    hits = (
        whole(member(usage, "prompt_cache_hit_tokens")),
        whole(member(prompt, "prompt_cache_hit_tokens")),  # so DeepSeek's tables say
        whole(member(prompt, "cached_tokens")),
    )
    return {
        "gen_ai.usage.input_tokens": whole(member(usage, "prompt_tokens")),
        "gen_ai.usage.output_tokens": whole(member(usage, "completion_tokens")),
        # No hit is not the same as not known.
        "gen_ai.usage.cache_read.input_tokens": next(
            (count for count in hits if count is not None), None
        ),
        "gen_ai.usage.reasoning.output_tokens": whole(
            member(completion, "reasoning_tokens")
        ),
    }
