"""What api.deepseek.com says when it does not answer."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

JSON = "application/json"
# Refusals that DeepSeek's own code words come with this type and a JSON body all
# the same; its gateway and its JSON parser name the body what it is.
OCTETS = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"


@dataclass(eq=False)
class ApiError(Exception):
    """A response that is not an answer: status, body and content type."""

    status: int
    body: bytes
    content_type: str | None = JSON


def envelope(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    code: str = "invalid_request_error",
    content_type: str = JSON,
) -> ApiError:
    """The usual JSON error. `code` says little: only 500 and 503 have their own."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    body = json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":"))
    return ApiError(status, body.encode(), content_type)


def invalid(message: str, *, with_request_id: bool = False) -> ApiError:
    """A 400 of the checks that come after parsing."""
    if with_request_id:
        message += f" (request_id: {uuid.uuid4()})"
    return envelope(400, message, content_type=OCTETS)


def plain(status: int, text: str, content_type: str | None = TEXT) -> ApiError:
    return ApiError(status, text.encode(), content_type)


def not_found() -> ApiError:
    return ApiError(404, b"", None)


def method_not_allowed() -> ApiError:
    return ApiError(405, b"", None)


def no_key() -> ApiError:
    return plain(401, "Authentication Fails (governor)", None)


def wrong_key(key: str) -> ApiError:
    message = (
        f"Authentication Fails, Your api key: ****{key[-4:]} is invalid"
        f" (request_id: {uuid.uuid4()})"
    )
    return envelope(401, message, "authentication_error")


def no_json() -> ApiError:
    return plain(415, "Expected request with `Content-Type: application/json`")


def content_risk() -> ApiError:
    return invalid("Content Exists Risk")


_WRONG_TYPE = (
    "Failed to deserialize the JSON body into the target type: thinking: invalid type:"
    " boolean `true`, expected struct ThinkingOptions at line 1 column 40"
)
_TOO_MANY = (
    "Too many requests. Your current concurrency is 26, which exceeds your concurrency"
    " limit of 25 based on your remaining balance. Please top up your balance to"
    " restore your concurrency."
)
_BUSY = (
    "Service is too busy. We advise users to temporarily switch to alternative LLM API"
    " service providers."
)


def on_demand(status: int, key: str) -> ApiError:
    """The error of `status`, as the fault of that name asks for."""
    if status == 400:  # noqa: PLR2004  # the numbers are the names here
        return content_risk()
    if status == 401:  # noqa: PLR2004  # as above
        return wrong_key(key)
    message, kind, code = _ON_DEMAND[status]
    return envelope(status, message, kind, code)


_ON_DEMAND = {
    402: ("Insufficient Balance", "unknown_error", "invalid_request_error"),
    422: (_WRONG_TYPE, "invalid_request_error", "invalid_request_error"),
    429: (_TOO_MANY, "rate_limit_error", "invalid_request_error"),
    500: ("Internal Server Error", "internal_error", "internal_error"),
    503: (_BUSY, "service_unavailable_error", "service_unavailable_error"),
}
STATUSES = frozenset({400, 401, *_ON_DEMAND})
