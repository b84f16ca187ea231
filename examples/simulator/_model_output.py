"""An answer as the model writes it: piece by piece, until something ends it.

Streams and whole bodies, token counts and the prompt cache are all made from these
pieces, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._prompt import THOUGHT, call_tokens
from ._tokenizer import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind: TypeAlias = Literal["reasoning", "content", "call", "arguments", "unseen"]


_SAID = ("content", "call", "arguments")


@dataclass(frozen=True)
class Reply:
    """What the model means to say."""

    content: str
    reasoning: str = ""
    calls: Sequence[tuple[str, str]] = ()  # name, arguments as JSON


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str
    tokens: tuple[str, ...]
    call: int = 0  # which tool call a piece of kind call or arguments belongs to


@dataclass
class Writing:
    """The pieces that were written, and why there are no more."""

    pieces: list[Piece] = field(default_factory=list[Piece])
    finish: str = "stop"

    @property
    def tokens(self) -> list[str]:
        return [token for piece in self.pieces for token in piece.tokens]

    @property
    def reasoning_tokens(self) -> int:
        return sum(piece.kind == "reasoning" for piece in self.pieces)

    def end(self, finish: str, after: int | None) -> None:
        """End with `finish` after `after` pieces, or in the middle of the answer."""
        self.finish = finish
        del self.pieces[self.end_of(after) :]

    def end_of(self, after: int | None) -> int:
        """How many pieces come before a break; None is in the middle of the answer."""
        if after is not None:
            return after
        said = [i for i, piece in enumerate(self.pieces) if piece.kind in _SAID]
        return said[len(said) // 2] if said else len(self.pieces) // 2

    def text(self, kind: Kind, call: int = 0) -> str:
        return "".join(p.text for p in self.pieces if (p.kind, p.call) == (kind, call))


def write(
    reply: Reply, *, thinking: bool, stop: Sequence[str] = (), limit: int | None = None
) -> Writing:
    """Write `reply` down until it ends, a stop string comes or `limit` tokens are out.

    A stop string ends the answer, never the reasoning; it is counted, not shown.
    """
    written = Writing(finish="tool_calls" if reply.calls else "stop")
    count = 0
    for piece in _pieces(reply, thinking=thinking, stop=stop):
        count += len(piece.tokens)
        if limit is not None and count > limit:
            written.finish = "length"
            break
        written.pieces.append(piece)
    if len(reply.calls) and not any(p.kind == "call" for p in written.pieces):
        written.finish = written.finish.replace("tool_calls", "stop")
    return written


def _pieces(reply: Reply, *, thinking: bool, stop: Sequence[str]) -> Iterator[Piece]:
    if thinking:
        for token in tokens(reply.reasoning):
            yield Piece("reasoning", token, (token,))
        yield Piece("unseen", "", (THOUGHT,))
    content, stopped_by = _until(stop, reply.content)
    for token in tokens(content):
        yield Piece("content", token, (token,))
    if stopped_by:
        yield Piece("unseen", "", tuple(tokens(stopped_by)))
        return
    for index, (name, arguments) in enumerate(reply.calls):
        yield Piece("call", name, call_tokens(name), index)
        for token in tokens(arguments):
            yield Piece("arguments", token, (token,), index)


def _until(stop: Sequence[str], text: str) -> tuple[str, str]:
    """`text` before the first of the stop strings, and which one it was."""
    places = [(text.index(word), word) for word in stop if word in text]
    if not places:
        return text, ""
    place, word = min(places)
    return text[:place], word
