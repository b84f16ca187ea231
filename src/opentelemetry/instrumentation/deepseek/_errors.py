"""What an exception says on a span: its kind, and words without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from ._coerce import text, whole
from ._genai import fq_exception_type
from ._suppress import quietly

# DeepSeek's 401 ends in the last four characters of the key:
# "Authentication Fails, Your api key: ****0000 is invalid". Whole keys and tokens are
# not expected in a message; they are taken out all the same.
_SECRETS: Final = re.compile(
    r"\*{2,}[^\s'\"]*|\bsk-[\w-]+|(?<=bearer )\S+", re.IGNORECASE
)
# What every HTTP client sends, or the SDK on its own: no secrets, and ordinary words.
_PLAIN_HEADERS: Final = re.compile(
    r"accept.*|connection|content-.*|host|transfer-encoding|user-agent|x-stainless-.*",
    re.IGNORECASE,
)
_REDACTED: Final = "[redacted]"
# serde quotes what it cannot read: `invalid type: string "…", expected a sequence`.
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


class StreamCutError(Exception):
    """DeepSeek ended a stream before it gave a finish reason; the SDK says nothing."""


class StreamAbandonedError(Exception):
    """A stream was dropped, and collected, before anything was read from it."""


# error.type where the class says too little, or is not the caller's.
_TYPES: Final[Mapping[type[BaseException], str]] = {
    StreamCutError: "stream_cut",
    StreamAbandonedError: "stream_abandoned",
}


def status_code(error: BaseException) -> int | None:
    """The HTTP status of an `openai.APIStatusError`."""
    return whole(getattr(error, "status_code", None))


class Failure(NamedTuple):
    """How a call failed: `error.type`, and the description of the span's status."""

    type: str
    words: str


def described(error: BaseException, *, with_content: bool) -> Failure:
    """What is said of `error`.

    Its type is the qualified class (`openai.RateLimitError`); the HTTP status for
    a status that the SDK has no class for (`402`); `stream_cut` and `stream_abandoned`
    for ends that raise nothing.
    """
    kind = _TYPES.get(type(error)) or fq_exception_type(error)
    words = ""
    # The caller's own exceptions come by, too: one of their iterators may raise.
    with quietly("reading an error's words"):
        if kind == "openai.APIStatusError":
            kind = str(status_code(error))
        words = _words(error, with_content=with_content)
    return Failure(kind, words)


def _words(error: BaseException, *, with_content: bool) -> str:
    if type(error) in _TYPES:
        return str(error)
    said = text(getattr(error, "message", None))  # the SDK's APIError
    body: Any = getattr(error, "body", None)
    if isinstance(body, Mapping):
        said = text(cast("Mapping[str, Any]", body).get("message")) or said
    if said is None:
        # Not the SDK's: pydantic, for one, quotes the answer it could not read.
        said = text(str(error)) if with_content else ""
    said = said or ""
    for secret in _sent(error):
        said = said.replace(secret, _REDACTED)
    said = _SECRETS.sub(_REDACTED, said)
    return said if with_content else _QUOTED.sub('"…"', said)


def _sent(error: BaseException) -> list[str]:
    """What the request had of the caller's that a gateway might quote: their headers,
    user, password and query."""
    request: Any = getattr(error, "request", None)
    if request is None:
        return []
    sent = [request.url.username, request.url.password, *request.url.params.values()]
    for name, value in request.headers.items():
        if not _PLAIN_HEADERS.fullmatch(name):
            sent += [value, value.rpartition(" ")[2]]  # the token of `Bearer token`
    # Longest first: one may be part of another. The shortest are ordinary words.
    return sorted((text for text in sent if len(text) > 3), key=len, reverse=True)  # noqa: PLR2004  # as said
