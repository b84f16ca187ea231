"""Describes an exception for a span: its type, and a message without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import unquote_plus, urlsplit

from ._coerce import as_int, as_text, field_of
from ._genai import fq_exception_type
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

# DeepSeek's 401 ends in the last four characters of the key:
# "Authentication Fails, Your api key: ****0000 is invalid". Complete keys and tokens
# are not expected in a message, but are redacted too.
_SECRETS: Final = re.compile(
    r"\*{2,}[^\s'\"]*|\bsk-[\w-]+|(?<=bearer )\S+", re.IGNORECASE
)
# Headers that every HTTP client or the SDK sets. They hold no secrets, and their
# values are ordinary words that must not be redacted.
_PUBLIC_HEADERS: Final = re.compile(
    r"accept.*|connection|content-.*|host|transfer-encoding|user-agent|x-stainless-.*",
    re.IGNORECASE,
)
_REDACTED: Final = "[redacted]"
# A shorter value is too likely to be an ordinary word.
_MIN_SECRET_LENGTH: Final = 4
FIRST_ERROR_STATUS: Final = 400
# The packages whose errors have messages of their own.
_CLIENTS: Final = ("dspy.", "litellm.")
# The packages whose errors are about the connection and quote no content.
_HTTP_CLIENTS: Final = frozenset({"aiohttp", "httpx", "httpx2", "requests"})
# The base class of litellm's errors that quote an answer.
_VALIDATION_ERROR: Final = "APIResponseValidationError"
_json_decoder: Final = json.JSONDecoder()
# DeepSeek's JSON parser (serde) quotes a value that it cannot read:
# `invalid type: string "…", expected a sequence`.
_QUOTED_VALUE: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


class IncompleteStreamError(Exception):
    """DeepSeek ended a stream without a finish reason; the SDK raises no error."""


class UnreadStreamError(Exception):
    """The application dropped a stream before it read a chunk."""


# `error.type` of the classes above, which no application knows.
_ERROR_TYPES: Final[Mapping[type[BaseException], str]] = {
    IncompleteStreamError: "stream_cut",
    UnreadStreamError: "stream_abandoned",
}


# The classes for a status that has no class of its own.
_STATUS_ERRORS: Final = frozenset({"anthropic.APIStatusError", "openai.APIStatusError"})


class ErrorDescription(NamedTuple):
    """The `error.type` of a span, and the description of its status."""

    type: str
    message: str


def status_code(error: BaseException) -> int | None:
    """Returns the HTTP status of an `APIStatusError` of an SDK."""
    return as_int(getattr(error, "status_code", None))


def describe_error(
    error: BaseException, *, with_content: bool, secrets: Iterable[str] = ()
) -> ErrorDescription:
    """Returns the type and the message of `error`, without secrets.

    The type is the qualified name of the class, such as `openai.RateLimitError`. It is
    the HTTP status, such as `402`, if the SDK has no class for that status, and
    `stream_cut` or `stream_abandoned` for the errors of this module. Without
    `with_content` the message quotes no content. `secrets` are those of the request
    that the error itself does not have.
    """
    error_type = _ERROR_TYPES.get(type(error)) or fq_exception_type(error)
    message = ""
    # The error may also be the application's: an iterator that it passes may raise.
    with suppress_errors("reading an error message"):
        if error_type in _STATUS_ERRORS:
            error_type = _status_error_type(error)
        message = _error_message(error, secrets, with_content=with_content)
    return ErrorDescription(error_type, message)


def _status_error_type(error: BaseException) -> str:
    status = status_code(error)
    if status is None or status < FIRST_ERROR_STATUS:
        # Anthropic's SDK raises it for an error in a stream, whose status is 200.
        return describe_body_error(_body_error(error), with_content=False).type
    return str(status)


def _body_error(error: BaseException) -> object:
    """Returns the error in the body; openai's SDK gives only this part of the body."""
    body: object = getattr(error, "body", None)
    inner: object = field_of(body, "error")
    return cast("object", inner) if isinstance(inner, Mapping) else body


def describe_body_error(
    body_error: object, *, with_content: bool, secrets: Iterable[str] = ()
) -> ErrorDescription:
    """Returns the code and the message of an error in a body with status 200.

    The type is `_OTHER`, the fallback of the conventions, if the error has no code.
    """
    codes = (field_of(body_error, name) for name in ("code", "type"))
    error_type = next((str(code) for code in codes if isinstance(code, str | int)), "")
    message = as_text(field_of(body_error, "message")) or as_text(body_error) or ""
    return ErrorDescription(
        _SECRETS.sub(_REDACTED, as_text(error_type) or "_OTHER"),
        _redact(message, secrets, with_content=with_content),
    )


def _error_message(
    error: BaseException, secrets: Iterable[str], *, with_content: bool
) -> str:
    if type(error) in _ERROR_TYPES:
        return str(error)
    message = as_text(getattr(error, "message", None))  # of the SDK's APIError
    if type(error).__module__.partition(".")[0] in _HTTP_CLIENTS:
        message = as_text(str(error))
    elif message is not None and type(error).__module__.startswith(_CLIENTS):
        message = _server_message(error, message) or (message if with_content else "")
    body: Any = _body_error(error)
    if isinstance(body, Mapping):
        message = as_text(cast("Mapping[str, Any]", body).get("message")) or message
    if message is None:
        # Not an error of the SDK. Pydantic, for example, quotes the response that it
        # could not validate.
        message = as_text(str(error)) if with_content else ""
    secrets = [*_request_secrets(error), *secrets]
    return _redact(message or "", secrets, with_content=with_content)


def _server_message(error: BaseException, message: str) -> str | None:
    """Returns the message of the server in an error of litellm or DSPy's engine.

    Their own messages quote answers that they could not read, or that do not have the
    form that the application expects.
    """
    if any(base.__name__ == _VALIDATION_ERROR for base in type(error).__mro__):
        return None
    if (start := message.find("{")) >= 0:
        with suppress(ValueError, RecursionError):
            body, _ = _json_decoder.raw_decode(message, start)
            inner: object = field_of(body, "error") or body
            return as_text(field_of(inner, "message"))
    # DSPy's engine has the server's message where the status is that of an error.
    status = as_int(getattr(error, "status", None))
    return message if status is not None and status >= FIRST_ERROR_STATUS else None


def _redact(message: str, secrets: Iterable[str], *, with_content: bool) -> str:
    for secret in secrets:
        message = message.replace(secret, _REDACTED)
    message = _SECRETS.sub(_REDACTED, message)
    return message if with_content else _QUOTED_VALUE.sub('"…"', message)


def _request_secrets(error: BaseException) -> list[str]:
    """Returns values of the request that a gateway might quote in its error.

    These are headers of the application, and the user, password and query of the URL.
    """
    # Errors of aiohttp have `request_info`.
    request: Any = getattr(error, "request", None) or getattr(
        error, "request_info", None
    )
    if request is None:
        return []
    url = getattr(request, "real_url", None) or request.url
    return secrets_of_request(str(url), request.headers)


def secrets_of_request(address: str, headers: Mapping[str, Any]) -> list[str]:
    """Returns the values of a request that a server might quote in its error."""
    url = urlsplit(address)
    query = (pair.rpartition("=")[2] for pair in url.query.split("&"))
    values = [url.username or "", url.password or "", *query]
    values += [unquote_plus(value) for value in values]
    for name, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if not _PUBLIC_HEADERS.fullmatch(name) and isinstance(text, str):
            # The second one is the token of `Bearer token`. An error of an HTTP client
            # quotes a header that it does not accept as repr() returns it.
            values += [text.strip(), text.strip().rpartition(" ")[2], repr(text)[1:-1]]
    # The longest first: a value may be part of another.
    long_values = (value for value in values if len(value) >= _MIN_SECRET_LENGTH)
    return sorted(long_values, key=len, reverse=True)
