"""Fill in the middle: what stands between a prompt and a suffix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._logprobs import alternatives, chance
from ._response_encoding import dumped, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model_output import Piece, Writing
    from ._response_encoding import Envelope


def fim_text(prompt: str, suffix: str) -> str:
    """A few words that fit in: code after code, prose after prose."""
    function = re.findall(r"def (\w+)\(([^)]*)\)[^:]*:\s*$", prompt)
    if not function:
        return " and then it goes on" if suffix else " and that is how it ends."
    first = function[-1][1].split(",")[0].split(":")[0].split("=")[0].strip()
    indent = "" if prompt.endswith(("    ", "\t")) else "    "
    start = indent if prompt.endswith(("\n", " ", "\t")) else "\n    "
    if not first:
        return f"{start}pass\n"
    if "(" in suffix:  # it calls itself, or something: the simple case is missing
        return f"{start}if {first} <= 1:\n        return {first}\n"
    return f"{start}return {first}\n"


@dataclass
class FimWire:
    """One FIM answer, whole or in chunks."""

    envelope: Envelope
    include_usage: bool = False
    logprobs: int | None = None
    echo: str = ""  # the prompt, if the answer is to begin with it

    def body(self, writing: Writing, usage: dict[str, Any]) -> bytes:
        text = self.echo + writing.text("content")
        shown = [piece for piece in writing.pieces if piece.text]
        choice = self._choice(text, self._logprobs(shown), writing.finish)
        return dumped(self.envelope.body("text_completion", choice, usage))

    def events(self, writing: Writing, usage: dict[str, Any]) -> Iterator[bytes]:
        if self.echo:
            yield self._event(self.echo)
        offset = 0
        for piece in writing.pieces:
            if piece.text:
                yield self._event(piece.text, self._logprobs([piece], offset))
                offset += len(piece.text)
        yield self._event("", finish=writing.finish, usage=usage)

    def _event(
        self,
        text: str,
        logprobs: Any = None,
        finish: str | None = None,
        usage: dict[str, Any] | None = None,
    ) -> bytes:
        shown = {"usage": usage} if usage or self.include_usage else {}
        choice = self._choice(text, logprobs, finish)
        return event(self.envelope.chunk("text_completion", choice, shown))

    @staticmethod
    def _choice(text: str, logprobs: Any, finish: str | None) -> dict[str, Any]:
        return {
            "finish_reason": finish,
            "index": 0,
            "logprobs": logprobs,
            "text": text,
        }

    def _logprobs(self, pieces: list[Piece], offset: int = 0) -> dict[str, Any] | None:
        if self.logprobs is None:
            return None
        offsets: list[int] = []
        for piece in pieces:
            offsets.append(offset)
            offset += len(piece.text)
        return {
            "text_offset": offsets,
            "token_logprobs": [chance(piece.text) for piece in pieces],
            "tokens": [piece.text for piece in pieces],
            "top_logprobs": [self._top(piece.text) for piece in pieces],
        }

    def _top(self, token: str) -> dict[str, float]:
        return {
            one["token"]: one["logprob"]
            for one in alternatives(token, self.logprobs or 0)
        }
