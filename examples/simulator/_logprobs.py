"""Log probabilities: made up, but always the same for the same token."""

from __future__ import annotations

import re
import zlib
from typing import Any

_OTHERS = re.findall(
    "[^a-z][a-z]*", " the a is and in to of it you for that we on so or.,!?:;"
)
VERY_UNLIKELY = -9999.0  # DeepSeek's word for a probability that rounds to none


def chance(token: str) -> float:
    return -round(zlib.crc32(token.encode()) % 9000 / 10_000, 4)


def logprob(token: str, top: int) -> dict[str, Any]:
    """One entry of `logprobs.content`, with its `top` most likely alternatives."""
    return {**_entry(token, chance(token)), "top_logprobs": alternatives(token, top)}


def alternatives(token: str, top: int) -> list[dict[str, Any]]:
    """`top` entries: the token, less and less likely ones, at last one that is not."""
    others = [other for other in _OTHERS if other != token][: max(top - 1, 0)]
    entries = [_entry(token, chance(token))][:top]
    for rank, other in enumerate(others, start=2):
        last = rank == top and top > 2  # noqa: PLR2004  # two may both be likely
        entries.append(_entry(other, VERY_UNLIKELY if last else -1.5 * rank))
    return entries


def _entry(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}
