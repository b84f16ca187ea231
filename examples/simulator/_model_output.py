"""The output of the model, chunk by chunk, up to its finish reason.

Streams, whole bodies, token counts and the prompt cache are all derived from these
chunks and therefore always agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._prompt import THINKING_END, tool_call_tokens
from ._tokenizer import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ChunkKind: TypeAlias = Literal[
    "reasoning", "content", "tool_call", "arguments", "hidden"
]
_ANSWER_KINDS = ("content", "tool_call", "arguments")


@dataclass(frozen=True)
class AssistantMessage:
    """A whole message, before stop strings and token limits end it."""

    content: str
    reasoning: str = ""
    tool_calls: Sequence[tuple[str, str]] = ()  # name, arguments as JSON


@dataclass(frozen=True)
class OutputChunk:
    """A part of the output that a stream sends in one event.

    A hidden chunk is counted in the usage and not sent.
    """

    kind: ChunkKind
    text: str
    tokens: tuple[str, ...]
    call_index: int = 0  # the tool call of a chunk of kind tool_call or arguments


@dataclass
class ModelOutput:
    """The chunks of one response and its finish reason."""

    chunks: list[OutputChunk] = field(default_factory=list[OutputChunk])
    finish_reason: str = "stop"

    @property
    def tokens(self) -> list[str]:
        return [token for chunk in self.chunks for token in chunk.tokens]

    @property
    def reasoning_token_count(self) -> int:
        return sum(chunk.kind == "reasoning" for chunk in self.chunks)

    def truncate(self, finish_reason: str, after_chunks: int | None) -> None:
        """Ends the output with `finish_reason` at `truncation_index(after_chunks)`."""
        self.finish_reason = finish_reason
        del self.chunks[self.truncation_index(after_chunks) :]

    def truncation_index(self, after_chunks: int | None) -> int:
        """Returns the number of chunks before an interruption.

        None means the middle of the answer, which follows the reasoning.
        """
        if after_chunks is not None:
            return after_chunks
        answer_indices = [
            index
            for index, chunk in enumerate(self.chunks)
            if chunk.kind in _ANSWER_KINDS
        ]
        if not answer_indices:
            return len(self.chunks) // 2
        return answer_indices[len(answer_indices) // 2]

    def text(self, kind: ChunkKind, call_index: int = 0) -> str:
        """Returns the joined text of the chunks of `kind`."""
        return "".join(
            chunk.text
            for chunk in self.chunks
            if (chunk.kind, chunk.call_index) == (kind, call_index)
        )


def generate(
    message: AssistantMessage,
    *,
    thinking: bool,
    stop: Sequence[str] = (),
    max_tokens: int | None = None,
) -> ModelOutput:
    """Generates `message` until its end, a stop string or `max_tokens`.

    A stop string ends the answer but not the reasoning. It is counted in the usage
    and not sent.
    """
    output = ModelOutput(finish_reason="tool_calls" if message.tool_calls else "stop")
    token_count = 0
    for chunk in _chunks(message, thinking=thinking, stop=stop):
        token_count += len(chunk.tokens)
        if max_tokens is not None and token_count > max_tokens:
            output.finish_reason = "length"
            break
        output.chunks.append(chunk)
    if message.tool_calls and not any(c.kind == "tool_call" for c in output.chunks):
        output.finish_reason = output.finish_reason.replace("tool_calls", "stop")
    return output


def _chunks(
    message: AssistantMessage, *, thinking: bool, stop: Sequence[str]
) -> Iterator[OutputChunk]:
    if thinking:
        for token in tokenize(message.reasoning):
            yield OutputChunk("reasoning", token, (token,))
        yield OutputChunk("hidden", "", (THINKING_END,))
    content, stop_string = _split_at_stop_string(message.content, stop)
    for token in tokenize(content):
        yield OutputChunk("content", token, (token,))
    if stop_string:
        yield OutputChunk("hidden", "", tuple(tokenize(stop_string)))
        return
    for index, (name, arguments) in enumerate(message.tool_calls):
        yield OutputChunk("tool_call", name, tool_call_tokens(name), index)
        for token in tokenize(arguments):
            yield OutputChunk("arguments", token, (token,), index)


def _split_at_stop_string(text: str, stop: Sequence[str]) -> tuple[str, str]:
    """Returns `text` up to the first stop string, and that stop string."""
    positions = [(text.index(word), word) for word in stop if word in text]
    if not positions:
        return text, ""
    position, stop_string = min(positions)
    return text[:position], stop_string
