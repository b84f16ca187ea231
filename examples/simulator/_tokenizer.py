"""A small tokenizer: deterministic, lossless, about as fine as DeepSeek's."""

from __future__ import annotations

import re

# A word with the blank before it, in pieces of at most eight letters; up to three
# digits; a run of blanks; one character of anything else, so of Chinese too.
_TOKEN = re.compile(r" ?[A-Za-z]{1,8}|\d{1,3}|\s+|[^\W\d_A-Za-z]|[\W_]|.", re.DOTALL)


def tokens(text: str) -> list[str]:
    """`text` in tokens; joined they are `text` again."""
    return _TOKEN.findall(text)
