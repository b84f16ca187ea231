"""Texts that MLflow can take, keep and show."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

# PostgreSQL has no text with NUL, and UTF-8 no half of a pair of surrogates.
_NUL_SHOWN: Final = "\u2400"
# One character, and then a group: it is sought as fast as `in` does.
_UNFIT_ESCAPE: Final = re.compile(r"\\(?:u0000|u[dD][89abAB])")

# Larger ones take a server, and then a page, minutes.
LONGEST: Final = 4 * 2**20
# Of a text within JSON, where the whole is longer than that.
_LONGEST_WITHIN: Final = 2**16

# MLflow's server tries to read each text as JSON, and fails with the whole request at
# what Python's own reader does not take: very deep nesting, very long numbers.
_DEEPEST: Final = 200
_MOST_DIGITS: Final = 4_300
_TOO_LONG_NUMBER: Final = re.compile(rf"\d{{{_MOST_DIGITS + 1}}}")
_BEGINS_AS_JSON: Final = re.compile(r'\s*[\[{"\d-]')
_NOT_JSON: Final = "(not readable as JSON) "


def sanitize_text(text: str, longest: int | None = None) -> tuple[str, str | None]:
    """The text as it can be, and why it had to be changed, if it had to.

    `longest`: in characters, for an identity, which stays one of its own when cut.
    """
    given = text
    reasons: list[str] = []
    if len(text) > LONGEST:
        reasons.append(f"cut from {len(text)} characters")
        text = _cut(text)
    if has_unfit_characters(text) and (cleaned := _cleaned(text)) != text:
        reasons.append("characters that MLflow cannot keep")
        text = cleaned
    if fails_as_json(text):
        reasons.append("not readable as JSON")
        text = _NOT_JSON + text
    if longest is not None and len(text) > longest:
        reasons.append(f"cut to {longest} characters")
        digest = hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()[:16]
        text = f"{text[: longest - 17]}-{digest}"
    return text, "; ".join(reasons) or None


def encoded(value: Any) -> str:
    """A text or bytes as they are, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain)
    except (RecursionError, TypeError, ValueError):
        return f"({type(value).__name__} that cannot be written)"


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    return str(value)


def has_unfit_characters(text: str) -> bool:
    if not text.isascii():
        try:
            # As strict as UTF-8, and faster.
            text.encode("utf-16-le")
        except UnicodeEncodeError:
            return True
    return "\0" in text or bool(_UNFIT_ESCAPE.search(text))


def _cleaned(text: str) -> str:
    """JSON has such characters in its escapes as well."""
    text = _clean(text)
    if not _UNFIT_ESCAPE.search(text):
        return text
    try:
        read = json.loads(text)
        cleaned = _encode(_every_text(read, _clean))
        # Most escaped surrogates are pairs.
        return text if cleaned == _encode(read) else cleaned
    except (RecursionError, ValueError):
        return text


def _clean(text: str) -> str:
    # A pair that stands as its halves becomes the one character it is.
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return paired.replace("\0", _NUL_SHOWN)


def _cut(text: str) -> str:
    """JSON stays JSON, with its texts cut, where that is enough."""
    try:
        cut = _encode(_every_text(json.loads(text), _cut_one))
    except (RecursionError, ValueError):
        cut = text
    return cut if len(cut) <= LONGEST else text[: LONGEST - 1] + "…"


def _cut_one(text: str) -> str:
    if len(text) <= _LONGEST_WITHIN:
        return text
    return f"{text[:_LONGEST_WITHIN]}… ({len(text)} characters)"


def _every_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_every_text(one, change) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {change(key): _every_text(one, change) for key, one in named.items()}
    return value


def may_fail(text: str) -> bool:
    return len(text) > _MOST_DIGITS or (
        len(text) > _DEEPEST and text.count("[") + text.count("{") > _DEEPEST
    )


def fails_as_json(text: str) -> bool:
    if not may_fail(text) or not _BEGINS_AS_JSON.match(text):
        return False
    # All but its texts. A quote that ends none of them follows a backslash, which does
    # not follow one. (No regular expression: it takes ten times as long.)
    unescaped = text.replace("\\\\", "").replace('\\"', "")
    structure = "".join(unescaped.split('"')[::2])
    return _nests_too_deep(structure) or bool(_TOO_LONG_NUMBER.search(structure))


def _nests_too_deep(structure: str) -> bool:
    brackets = structure.translate(_BRACKETS)
    depth = 0
    while "[]" in brackets and depth <= _DEEPEST:
        brackets = brackets.replace("[]", "")  # all innermost ones
        depth += 1
    # Those that nothing closes hold all the others.
    return depth + brackets.count("[") > _DEEPEST


class _Brackets(dict[int, str]):
    def __missing__(self, _: int) -> None:
        """No other character is one."""


_BRACKETS: Final = _Brackets(zip(map(ord, "[{]}"), "[[]]", strict=True))


_encode = json.JSONEncoder(ensure_ascii=False).encode
