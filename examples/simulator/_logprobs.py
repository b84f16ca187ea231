"""Log probabilities: invented, but always the same for the same token."""

from __future__ import annotations

import re
import zlib
from typing import Any

_COMMON_TOKENS = re.findall(
    "[^a-z][a-z]*", " the a is and in to of it you for that we on so or.,!?:;"
)
NEGLIGIBLE_LOGPROB = -9999.0  # DeepSeek's value for a probability that rounds to 0


def token_logprob(token: str) -> float:
    """Returns the log probability of `token`, derived from its checksum."""
    return -round(zlib.crc32(token.encode()) % 9000 / 10_000, 4)


def logprob_entry(token: str, top: int) -> dict[str, Any]:
    """Returns one entry of `logprobs.content`, with its `top` most likely tokens."""
    entry = _entry(token, token_logprob(token))
    return {**entry, "top_logprobs": top_logprobs(token, top)}


def top_logprobs(token: str, top: int) -> list[dict[str, Any]]:
    """Returns `top` entries: the token, then other tokens in order of likelihood.

    With three or more entries the last one has a negligible probability.
    """
    other_tokens = [t for t in _COMMON_TOKENS if t != token][: max(top - 1, 0)]
    entries = [_entry(token, token_logprob(token))][:top]
    for rank, other_token in enumerate(other_tokens, start=2):
        is_last = rank == top and top > 2  # noqa: PLR2004  # two may both be likely
        logprob = NEGLIGIBLE_LOGPROB if is_last else -1.5 * rank
        entries.append(_entry(other_token, logprob))
    return entries


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
