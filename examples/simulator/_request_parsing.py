"""From bytes to a checked JSON object, or to a 400 with line and column."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from ._errors import envelope, plain
from ._validators import MismatchError

if TYPE_CHECKING:
    from ._errors import ApiError
    from ._validators import Check, Path

_MISTYPED = "Failed to deserialize the JSON body into the target type: "
_UNREADABLE = "Failed to parse the request body as JSON: "
# Python's words for a syntax error, and serde's.
_SYNTAX = {
    "Extra data": "trailing characters",
    "Expecting property name enclosed in double quotes": "key must be a string",
    "Expecting ':' delimiter": "expected `:`",
    "Expecting ',' delimiter": "expected `,` or `}`",
    "Invalid control character at": "control character (\\u0000-\\u001F) found while"
    " parsing a string",
    "Invalid \\escape": "invalid escape",
}


def read(body: bytes, check: Check) -> dict[str, Any]:
    """`body` as JSON that has passed `check`, or an ApiError in serde's words."""
    value = _parsed(body)
    try:
        check(value, ())
    except MismatchError as mismatch:
        place = _place(body, _end(body, mismatch.path))
        where = _dotted(mismatch.path)
        message = f"{_MISTYPED}{where}{mismatch.message} at {place}"
        raise envelope(422 if mismatch.of_options else 400, message) from None
    return value  # type: ignore[no-any-return]  # every check begins with an object


def _parsed(body: bytes) -> Any:
    try:
        value = json.loads(
            body.decode(),
            parse_int=_whole,
            parse_float=_real,
            parse_constant=_no_number,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _syntax(body, error) from None
    except UnicodeDecodeError as error:
        raise _unreadable("invalid unicode code point", body, error.start) from None
    except UnicodeEncodeError:
        message = "lone leading surrogate in hex escape"
        raise _unreadable(message, body, len(body)) from None
    except (ValueError, RecursionError):  # NaN; too large; nested without end
        raise _unreadable("number out of range", body, len(body)) from None
    return value


def _no_number(text: str) -> float:
    raise ValueError(text)


def _whole(text: str) -> float:
    number = int(text)
    return number if -(2**63) <= number < 2**64 else _real(text)


def _real(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _syntax(body: bytes, error: json.JSONDecodeError) -> ApiError:
    at = len(error.doc[: error.pos].encode())
    rest = body[at:].strip()
    unfinished = error.msg.startswith("Unterminated string")
    if unfinished or (not rest and error.msg != "Extra data"):
        opened = body.decode().strip()[:1]
        what = "a string" if unfinished else _WHAT.get(opened, "a value")
        return _unreadable(f"EOF while parsing {what}", body, len(body))
    message = _SYNTAX.get(error.msg, "expected value")
    return _unreadable(message, body, at + 1)


_WHAT = {"{": "an object", "[": "a list"}


def _unreadable(message: str, body: bytes, at: int) -> ApiError:
    return plain(400, f"{_UNREADABLE}{message} at {_place(body, at)}")


def _place(body: bytes, at: int) -> str:
    """Line and column of byte `at`, as serde counts: columns in bytes, from 1."""
    before = body[:at]
    start = before.rfind(b"\n") + 1
    line = before.count(b"\n") + 1
    return f"line {line} column {at - start}"


def _dotted(path: Path) -> str:
    """`messages[0].role: `, as serde_path_to_error writes it."""
    if not path:
        return ""
    steps = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path)
    return steps.removeprefix(".") + ": "


def _end(body: bytes, path: Path) -> int:
    """The byte after the value at `path`. `body` is known to be valid JSON."""
    # One character a byte, so that places in the text are places in the bytes.
    text = body.decode("latin-1")
    decoder = json.JSONDecoder(strict=False)

    def skip(at: int) -> int:
        while text[at] in " \t\r\n,:":
            at += 1
        return at

    at = skip(0)
    for step in path:
        at = skip(at + 1)
        index = 0
        while True:
            if isinstance(step, str):
                key, at = decoder.raw_decode(text, at)
                found = key == step
                at = skip(at)
            else:
                found = index == step
                index += 1
            if found:
                break
            at = skip(decoder.raw_decode(text, at)[1])
    return decoder.raw_decode(text, at)[1]
