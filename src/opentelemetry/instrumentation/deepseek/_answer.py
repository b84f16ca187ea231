"""What the model answered, from a completion or from chunks, as telemetry."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from ._messages import output_message
from ._values import text, whole

if TYPE_CHECKING:
    from ._genai import InferenceInvocation

_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
DEEPSEEK_RESPONSE_SYSTEM_FINGERPRINT: Final = "deepseek.response.system_fingerprint"
DEEPSEEK_TIME_TO_FIRST_REASONING: Final = "deepseek.response.time_to_first_reasoning"
DEEPSEEK_TIME_TO_FIRST_ANSWER: Final = "deepseek.response.time_to_first_answer"


@dataclass(slots=True)
class ToolCall:
    id: str | None = None
    name: str = ""
    arguments: StringIO = field(default_factory=StringIO)


@dataclass(slots=True)
class Choice:
    """One alternative. Its pieces go into buffers, which hold little but text."""

    finish_reason: str | None = None
    content: StringIO = field(default_factory=StringIO)
    reasoning: StringIO = field(default_factory=StringIO)
    tool_calls: dict[int, ToolCall] = field(default_factory=dict[int, ToolCall])


@dataclass(slots=True)
class Answer:
    """Grows by `add`, until `record` writes it down.

    `keeps_text` is false where nobody will record content.
    """

    keeps_text: bool
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

    def add(self, part: Any) -> None:
        """Add a chunk; or a completion, one big chunk that says `message` for `delta`.

        Any field may be missing or odd: the SDK checks nothing that DeepSeek sends.
        """
        self.parts += 1
        if self.parts == 1:
            self.id = text(getattr(part, "id", None))
            self.model = text(getattr(part, "model", None))
            self.fingerprint = text(getattr(part, "system_fingerprint", None))
        # Usage comes with the last chunk, alone or beside the finish reason.
        if (usage := getattr(part, "usage", None)) is not None:
            self.usage = usage
        for position, said in enumerate(getattr(part, "choices", None) or ()):
            index = whole(getattr(said, "index", None))
            key = position if index is None else index
            if (choice := self.choices.get(key)) is None:
                choice = self.choices[key] = Choice()
            if finish_reason := text(getattr(said, "finish_reason", None)):
                choice.finish_reason = finish_reason
            self._hear(
                choice, getattr(said, "delta", None) or getattr(said, "message", None)
            )

    def _hear(self, choice: Choice, words: object) -> None:
        # Gateways in front of DeepSeek's models say `reasoning`.
        reasoning = getattr(words, "reasoning_content", None) or getattr(
            words, "reasoning", None
        )
        if isinstance(reasoning, str) and reasoning:
            self.first_reasoning_at = self.first_reasoning_at or perf_counter()
            if self.keeps_text:
                choice.reasoning.write(reasoning)
        content = getattr(words, "content", None)
        calls = getattr(words, "tool_calls", None)
        if content or calls:
            self.first_answer_at = self.first_answer_at or perf_counter()
        if not self.keeps_text:
            return
        if isinstance(content, str):
            choice.content.write(content)
        for position, called in enumerate(calls or ()):
            index = whole(getattr(called, "index", None))
            call = choice.tool_calls.setdefault(
                position if index is None else index, ToolCall()
            )
            call.id = text(getattr(called, "id", None)) or call.id
            function = getattr(called, "function", None)
            call.name = text(getattr(function, "name", None)) or call.name
            call.arguments.write(text(getattr(function, "arguments", None)) or "")

    def record(
        self, invocation: InferenceInvocation, *, expected: int, began: float
    ) -> None:
        """Write the answer on `invocation`.

        A choice whose finish never arrived is `error`: one that broke off, and those
        of the `expected` number that never came. `began` is when the call did, by
        `perf_counter`.
        """
        invocation.response_id = self.id
        invocation.response_model_name = self.model
        choices = [choice for _, choice in sorted(self.choices.items())]
        finishes = [choice.finish_reason or "error" for choice in choices]
        finishes.extend(["error"] * (expected - len(finishes)))
        invocation.finish_reasons = finishes
        _record_usage(self.usage, invocation)
        if self.fingerprint:
            invocation.attributes[DEEPSEEK_RESPONSE_SYSTEM_FINGERPRINT] = (
                self.fingerprint
            )
        if invocation.request_stream:
            for name, at in (
                (DEEPSEEK_TIME_TO_FIRST_REASONING, self.first_reasoning_at),
                (DEEPSEEK_TIME_TO_FIRST_ANSWER, self.first_answer_at),
            ):
                if at is not None:
                    invocation.attributes[name] = at - began
        if self.keeps_text:
            invocation.output_messages = [output_message(choice) for choice in choices]


def _record_usage(usage: object, invocation: InferenceInvocation) -> None:
    invocation.input_tokens = whole(getattr(usage, "prompt_tokens", None))
    invocation.output_tokens = whole(getattr(usage, "completion_tokens", None))
    prompt = getattr(usage, "prompt_tokens_details", None)
    for hits in (
        getattr(usage, "prompt_cache_hit_tokens", None),
        getattr(
            prompt, "prompt_cache_hit_tokens", None
        ),  # where DeepSeek's tables put it
        getattr(prompt, "cached_tokens", None),
    ):
        if (cached := whole(hits)) is not None:
            invocation.cache_read_input_tokens = cached
            # util-genai drops a zero: no hit would look like not known.
            invocation.attributes[_CACHE_READ] = cached
            break
    details = getattr(usage, "completion_tokens_details", None)
    if (reasoning := whole(getattr(details, "reasoning_tokens", None))) is not None:
        invocation.thinking_tokens = reasoning
        invocation.attributes[_REASONING] = reasoning
