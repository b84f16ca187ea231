"""Separates the reasoning that a model writes into its answer, in `<think>` tags.

DeepSeek sends reasoning in a field of its own. Servers of the open models, such as
Ollama and llama.cpp, may leave it in the text, where the model generates it:
https://github.com/deepseek-ai/DeepSeek-R1#usage-recommendations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

_START_TAG: Final = "<think>"
_END_TAG: Final = "</think>"


class ThinkTagSplitter:
    """Splits a text that arrives in pieces into reasoning and answer.

    Only a text that begins with `<think>` has reasoning.
    """

    __slots__ = ("_next_tag", "_pending")

    def __init__(self) -> None:
        self._next_tag: str | None = _START_TAG
        # The end of the text so far, if it may be the beginning of a tag.
        self._pending = ""

    def write(self, piece: str) -> tuple[str, str]:
        """Returns the reasoning and the answer that `piece` completes."""
        if self._next_tag is None:
            return "", piece
        text, self._pending = self._pending + piece, ""
        if self._next_tag == _START_TAG:
            stripped = text.lstrip()
            if len(stripped) < len(_START_TAG) and _START_TAG.startswith(stripped):
                self._pending = text
                return "", ""
            if not stripped.startswith(_START_TAG):
                self._next_tag = None
                return "", text
            self._next_tag = _END_TAG
            text = stripped[len(_START_TAG) :]
        reasoning, end_tag, answer = text.partition(_END_TAG)
        if end_tag:
            self._next_tag = None
            return reasoning, answer
        pending_length = next(
            length
            for length in range(len(_END_TAG) - 1, -1, -1)
            if text.endswith(_END_TAG[:length])
        )
        split = len(text) - pending_length
        self._pending = text[split:]
        return text[:split], ""

    def flush(self) -> tuple[str, str]:
        """Returns the rest: a tag that the text does not complete is text."""
        rest, self._pending = self._pending, ""
        return (rest, "") if self._next_tag == _END_TAG else ("", rest)


def separate_reasoning(parts: Iterable[Json]) -> list[Json]:
    """Replaces each text part that begins with `<think>` by its reasoning and answer.

    The blank lines that the model writes around the tags are removed.
    """
    separated: list[Json] = []
    for part in parts:
        if part["type"] != "text" or not part["content"].lstrip().startswith(
            _START_TAG
        ):
            separated.append(part)
            continue
        splitter = ThinkTagSplitter()
        reasoning, answer = splitter.write(part["content"])
        reasoning += splitter.flush()[0]
        for part_type, content in (
            ("reasoning", reasoning.strip()),
            ("text", answer.lstrip()),
        ):
            if content:
                separated.append({"type": part_type, "content": content})
    return separated
