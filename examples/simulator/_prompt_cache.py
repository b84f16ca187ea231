"""The prompt cache: which beginnings of prompts this account has sent before."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK = 64  # tokens: DeepSeek caches whole blocks only


class PromptCache:
    """Remembers prompts by blocks of 64 tokens, each with all that came before it."""

    def __init__(self, blocks: int = 100_000) -> None:
        self._limit = blocks
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, owner: str, prompt: Sequence[str]) -> int:
        """How many tokens of `prompt` are known to `owner`; remembers all of them.

        The last token is never a hit: something is left to compute.
        """
        known = 0
        # Everything is compared before anything is added, or the prompt would
        # find itself.
        blocks = list(_blocks(owner, prompt))
        with self._lock:
            for block in blocks[: (len(prompt) - 1) // BLOCK]:
                if block not in self._seen:
                    break
                known += BLOCK
            self._remember(blocks)
        return known

    def add(self, owner: str, text: Sequence[str]) -> None:
        """Remember a prompt and its answer: the next turn begins with both."""
        with self._lock:
            self._remember(_blocks(owner, text))

    def _remember(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self._seen[block] = None
            self._seen.move_to_end(block)
        while len(self._seen) > self._limit:
            self._seen.popitem(last=False)


def _blocks(owner: str, text: Sequence[str]) -> Iterator[bytes]:
    digest = hashlib.sha256(owner.encode())
    for start in range(0, len(text) - BLOCK + 1, BLOCK):
        digest.update("\0".join(text[start : start + BLOCK]).encode())
        digest.update(b"\0")
        yield digest.digest()
