"""The prompt cache: prefixes of the prompts that an account has sent before."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK_SIZE = 64  # tokens: DeepSeek caches whole blocks only


class PromptCache:
    """An LRU cache of prompt prefixes, in blocks of 64 tokens.

    The key of a block covers the owner and all tokens up to the end of the block.
    """

    def __init__(self, max_blocks: int = 100_000) -> None:
        self._max_blocks = max_blocks
        self._blocks: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def hit(self, owner: str, prompt: Sequence[str]) -> int:
        """Adds `prompt` and returns how many of its tokens were cached for `owner`.

        The last token never counts as a hit, because the model has to compute
        something.
        """
        hit_tokens = 0
        # All blocks are compared before any block is added. Otherwise the prompt
        # would match itself.
        blocks = list(_block_keys(owner, prompt))
        with self._lock:
            for block in blocks[: (len(prompt) - 1) // BLOCK_SIZE]:
                if block not in self._blocks:
                    break
                hit_tokens += BLOCK_SIZE
            self._add(blocks)
        return hit_tokens

    def add(self, owner: str, tokens: Sequence[str]) -> None:
        """Adds a prompt with its response: the next turn starts with both."""
        with self._lock:
            self._add(_block_keys(owner, tokens))

    def _add(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._max_blocks:
            self._blocks.popitem(last=False)


def _block_keys(owner: str, tokens: Sequence[str]) -> Iterator[bytes]:
    digest = hashlib.sha256(owner.encode())
    for start in range(0, len(tokens) - BLOCK_SIZE + 1, BLOCK_SIZE):
        digest.update("\0".join(tokens[start : start + BLOCK_SIZE]).encode())
        digest.update(b"\0")
        yield digest.digest()
