"""Parsing of request bodies into JSON objects, with errors by line and column."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from ._errors import json_error, text_error
from ._validators import MismatchError

if TYPE_CHECKING:
    from ._errors import ApiError
    from ._validators import Path, Validator

_TYPE_ERROR = "Failed to deserialize the JSON body into the target type: "
_SYNTAX_ERROR = "Failed to parse the request body as JSON: "
# Syntax errors in the words of Python's parser -> in the words of serde.
_SERDE_MESSAGES = {
    "Extra data": "trailing characters",
    "Expecting property name enclosed in double quotes": "key must be a string",
    "Expecting ':' delimiter": "expected `:`",
    "Expecting ',' delimiter": "expected `,` or `}`",
    "Invalid control character at": "control character (\\u0000-\\u001F) found while"
    " parsing a string",
    "Invalid \\escape": "invalid escape",
}


def parse_request_body(body: bytes, validator: Validator) -> dict[str, Any]:
    """Parses `body` as JSON and validates it.

    Raises ApiError, in serde's words, if the body is not JSON or not valid.
    """
    value = _parse_json(body)
    try:
        validator(value, ())
    except MismatchError as error:
        position = _position(body, _end_offset(body, error.path))
        field = _dotted_path(error.path)
        message = f"{_TYPE_ERROR}{field}{error.message} at {position}"
        raise json_error(error.status, message) from None
    return value  # type: ignore[no-any-return]  # every validator requires an object


def _parse_json(body: bytes) -> Any:
    try:
        value = json.loads(
            body.decode(),
            parse_int=_parse_int,
            parse_float=_parse_float,
            parse_constant=_reject_number,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _syntax_error_at(body, error) from None
    except UnicodeDecodeError as error:
        message = "invalid unicode code point"
        raise _syntax_error(message, body, error.start) from None
    except UnicodeEncodeError:
        message = "lone leading surrogate in hex escape"
        raise _syntax_error(message, body, len(body)) from None
    except (ValueError, RecursionError):  # NaN, a number too large, nested too deeply
        raise _syntax_error("number out of range", body, len(body)) from None
    return value


def _reject_number(text: str) -> float:
    raise ValueError(text)


def _parse_int(text: str) -> float:
    number = int(text)
    return number if -(2**63) <= number < 2**64 else _parse_float(text)


def _parse_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _reject_number(text)


def _syntax_error_at(body: bytes, error: json.JSONDecodeError) -> ApiError:
    offset = len(error.doc[: error.pos].encode())
    remainder = body[offset:].strip()
    is_unterminated_string = error.msg.startswith("Unterminated string")
    is_end_of_body = not remainder and error.msg != "Extra data"
    if is_unterminated_string or is_end_of_body:
        expected = "a string"
        if not is_unterminated_string:
            first_character = body.decode().strip()[:1]
            expected = _CONTAINERS.get(first_character, "a value")
        return _syntax_error(f"EOF while parsing {expected}", body, len(body))
    message = _SERDE_MESSAGES.get(error.msg, "expected value")
    return _syntax_error(message, body, offset + 1)


_CONTAINERS = {"{": "an object", "[": "a list"}


def _syntax_error(message: str, body: bytes, offset: int) -> ApiError:
    return text_error(400, f"{_SYNTAX_ERROR}{message} at {_position(body, offset)}")


def _position(body: bytes, offset: int) -> str:
    """Returns line and column of `offset` as serde counts: columns in bytes, from 1."""
    before = body[:offset]
    line_start = before.rfind(b"\n") + 1
    line = before.count(b"\n") + 1
    return f"line {line} column {offset - line_start}"


def _dotted_path(path: Path) -> str:
    """Returns `path` as serde_path_to_error writes it: `messages[0].role: `."""
    if not path:
        return ""
    steps = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path)
    return steps.removeprefix(".") + ": "


def _end_offset(body: bytes, path: Path) -> int:
    """Returns the offset after the value at `path` in `body`, which is valid JSON."""
    # With one character per byte, offsets in the text are offsets in the bytes.
    text = body.decode("latin-1")
    decoder = json.JSONDecoder(strict=False)

    def skip_separators(offset: int) -> int:
        while text[offset] in " \t\r\n,:":
            offset += 1
        return offset

    offset = skip_separators(0)
    for step in path:
        offset = skip_separators(offset + 1)
        index = 0
        while True:
            if isinstance(step, str):
                key, offset = decoder.raw_decode(text, offset)
                is_at_step = key == step
                offset = skip_separators(offset)
            else:
                is_at_step = index == step
                index += 1
            if is_at_step:
                break
            offset = skip_separators(decoder.raw_decode(text, offset)[1])
    return decoder.raw_decode(text, offset)[1]
