"""A small deterministic, lossless tokenizer with tokens about as long as DeepSeek's."""

from __future__ import annotations

import re

# A token is one of: up to eight letters, with one space before them; up to three
# digits; a run of whitespace; one character of anything else, including Chinese.
_TOKEN = re.compile(r" ?[A-Za-z]{1,8}|\d{1,3}|\s+|[^\W\d_A-Za-z]|[\W_]|.", re.DOTALL)


def tokenize(text: str) -> list[str]:
    """Splits `text` into tokens, whose concatenation is `text` again."""
    return _TOKEN.findall(text)
