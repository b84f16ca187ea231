"""Changes texts that MLflow cannot receive, store or show."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

# In characters. MLflow's server, and then its page, take minutes for longer texts.
MAX_TEXT_LENGTH: Final = 4 * 2**20
# The limit of each text in a JSON document that exceeds MAX_TEXT_LENGTH.
_MAX_NESTED_TEXT_LENGTH: Final = 2**16

# PostgreSQL cannot store NUL, and UTF-8 cannot encode a single surrogate.
_NUL_SYMBOL: Final = "\u2400"
# A literal character before the group lets the search run as fast as `in`.
_INVALID_ESCAPE: Final = re.compile(r"\\(?:u0000|u[dD][89abAB])")

# MLflow's server tries to parse each text as JSON. It refuses the whole request if
# Python's parser fails because of very deep nesting or a very long number.
_MAX_JSON_DEPTH: Final = 200
_MAX_DIGITS: Final = 4_300
_TOO_LONG_NUMBER: Final = re.compile(rf"\d{{{_MAX_DIGITS + 1}}}")
_JSON_START: Final = re.compile(r'\s*[\[{"\d-]')
_UNREADABLE_JSON_PREFIX: Final = "(not readable as JSON) "


def sanitize_text(text: str, max_length: int | None = None) -> tuple[str, str | None]:
    """Return the text in a form that MLflow can take, and the reason of the change.

    `max_length` is in characters, for an identifier. A truncated identifier ends in a
    hash, so that different identifiers stay different. The reason is None if the text
    is unchanged.
    """
    original = text
    reasons: list[str] = []
    if len(text) > MAX_TEXT_LENGTH:
        reasons.append(f"truncated from {len(text)} characters")
        text = _truncate(text)
    if has_invalid_characters(text):
        replaced = _replace_invalid_characters(text)
        if replaced != text:
            reasons.append("characters that MLflow cannot store")
            text = replaced
    if is_unreadable_json(text):
        reasons.append("not readable as JSON")
        text = _UNREADABLE_JSON_PREFIX + text
    if max_length is not None and len(text) > max_length:
        reasons.append(f"truncated to {max_length} characters")
        digest = hashlib.sha256(original.encode("utf-8", "replace")).hexdigest()[:16]
        text = f"{text[: max_length - 17]}-{digest}"
    return text, "; ".join(reasons) or None


def to_text(value: Any) -> str:
    """Return a str unchanged, bytes decoded, and any other value as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        return json.dumps(value, ensure_ascii=False, default=_to_json_type)
    except (RecursionError, TypeError, ValueError):
        return f"({type(value).__name__} that is not serializable)"


def _to_json_type(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    return str(value)


def has_invalid_characters(text: str) -> bool:
    """Whether the text may have such characters. In escapes, not all are invalid."""
    if not text.isascii():
        try:
            # As strict as UTF-8, and faster.
            text.encode("utf-16-le")
        except UnicodeEncodeError:
            return True
    return "\0" in text or bool(_INVALID_ESCAPE.search(text))


def _replace_invalid_characters(text: str) -> str:
    """Replace invalid characters, also those in the escapes of a JSON document."""
    text = _replace_literal_characters(text)
    if not _INVALID_ESCAPE.search(text):
        return text
    try:
        document = json.loads(text)
        replaced = _encode(_map_texts(document, _replace_literal_characters))
        # Most escaped surrogates are valid pairs. The text then stays unchanged.
        return text if replaced == _encode(document) else replaced
    except (RecursionError, ValueError):
        return text


def _replace_literal_characters(text: str) -> str:
    # This also joins a pair of surrogates into the one character that it stands for.
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return joined.replace("\0", _NUL_SYMBOL)


def _truncate(text: str) -> str:
    """Truncate the texts in a JSON document if that suffices, else the text itself."""
    try:
        truncated = _encode(_map_texts(json.loads(text), _truncate_nested))
    except (RecursionError, ValueError):
        truncated = text
    if len(truncated) <= MAX_TEXT_LENGTH:
        return truncated
    return text[: MAX_TEXT_LENGTH - 1] + "…"


def _truncate_nested(text: str) -> str:
    if len(text) <= _MAX_NESTED_TEXT_LENGTH:
        return text
    return f"{text[:_MAX_NESTED_TEXT_LENGTH]}… ({len(text)} characters)"


def _map_texts(value: Any, function: Callable[[str], str]) -> Any:
    """Return a copy of a JSON value with `function` applied to all strings in it."""
    if isinstance(value, str):
        return function(value)
    if isinstance(value, list):
        return [_map_texts(item, function) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {
            function(key): _map_texts(item, function)
            for key, item in cast("dict[str, Any]", value).items()
        }
    return value


def may_be_unreadable_json(text: str) -> bool:
    """A fast check. False means that the text is not unreadable JSON."""
    return len(text) > _MAX_DIGITS or (
        len(text) > _MAX_JSON_DEPTH
        and text.count("[") + text.count("{") > _MAX_JSON_DEPTH
    )


def is_unreadable_json(text: str) -> bool:
    """Whether Python's JSON parser fails in a way that MLflow does not expect."""
    if not may_be_unreadable_json(text) or not _JSON_START.match(text):
        return False
    # The document without its strings. A quote inside a string follows a backslash that
    # does not follow another one. (A regular expression takes ten times as long.)
    unescaped = text.replace("\\\\", "").replace('\\"', "")
    structure = "".join(unescaped.split('"')[::2])
    return _is_too_deep(structure) or bool(_TOO_LONG_NUMBER.search(structure))


def _is_too_deep(structure: str) -> bool:
    brackets = structure.translate(_BRACKETS)
    depth = 0
    while "[]" in brackets and depth <= _MAX_JSON_DEPTH:
        brackets = brackets.replace("[]", "")  # all innermost pairs
        depth += 1
    # Brackets without an end contain all pairs.
    return depth + brackets.count("[") > _MAX_JSON_DEPTH


class _BracketTable(dict[int, str]):
    """A table for str.translate() that replaces braces and drops all but brackets."""

    def __missing__(self, _: int) -> None:
        """Return None, which deletes the character."""


_BRACKETS: Final = _BracketTable(zip(map(ord, "[{]}"), "[[]]", strict=True))


_encode = json.JSONEncoder(ensure_ascii=False).encode
