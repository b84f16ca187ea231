"""The error responses of api.deepseek.com."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

JSON = "application/json"
# DeepSeek's validation errors have a JSON body but this content type. Errors of its
# gateway and of its JSON parser have the content type of their body.
OCTET_STREAM = "application/octet-stream"
PLAIN_TEXT = "text/plain; charset=utf-8"


@dataclass(eq=False)
class ApiError(Exception):
    """An error response: HTTP status, body and content type."""

    status: int
    body: bytes
    content_type: str | None = JSON


def json_error(
    status: int,
    message: str,
    error_type: str = "invalid_request_error",
    code: str = "invalid_request_error",
    content_type: str = JSON,
) -> ApiError:
    """Returns the usual JSON error. Only 500 and 503 have a `code` of their own."""
    error = {"message": message, "type": error_type, "param": None, "code": code}
    body = json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":"))
    return ApiError(status, body.encode(), content_type)


def validation_error(message: str, *, with_request_id: bool = False) -> ApiError:
    """Returns the 400 of a check that follows parsing."""
    if with_request_id:
        message += f" (request_id: {uuid.uuid4()})"
    return json_error(400, message, content_type=OCTET_STREAM)


def text_error(
    status: int, text: str, content_type: str | None = PLAIN_TEXT
) -> ApiError:
    return ApiError(status, text.encode(), content_type)


def not_found() -> ApiError:
    return ApiError(404, b"", None)


def method_not_allowed() -> ApiError:
    return ApiError(405, b"", None)


def missing_key() -> ApiError:
    return text_error(401, "Authentication Fails (governor)", None)


def invalid_key(key: str) -> ApiError:
    message = (
        f"Authentication Fails, Your api key: ****{key[-4:]} is invalid"
        f" (request_id: {uuid.uuid4()})"
    )
    return json_error(401, message, "authentication_error")


def unsupported_media_type() -> ApiError:
    return text_error(415, "Expected request with `Content-Type: application/json`")


def content_risk() -> ApiError:
    return validation_error("Content Exists Risk")


_WRONG_TYPE_MESSAGE = (
    "Failed to deserialize the JSON body into the target type: thinking: invalid type:"
    " boolean `true`, expected struct ThinkingOptions at line 1 column 40"
)
_RATE_LIMIT_MESSAGE = (
    "Too many requests. Your current concurrency is 26, which exceeds your concurrency"
    " limit of 25 based on your remaining balance. Please top up your balance to"
    " restore your concurrency."
)
_OVERLOAD_MESSAGE = (
    "Service is too busy. We advise users to temporarily switch to alternative LLM API"
    " service providers."
)


def fault_error(status: int, key: str) -> ApiError:
    """Returns the error that the fault named `status` requests."""
    if status == 400:  # noqa: PLR2004  # the fault is named by its status
        return content_risk()
    if status == 401:  # noqa: PLR2004  # the fault is named by its status
        return invalid_key(key)
    message, error_type, code = _FAULT_ERRORS[status]
    return json_error(status, message, error_type, code)


_FAULT_ERRORS = {
    402: ("Insufficient Balance", "unknown_error", "invalid_request_error"),
    422: (_WRONG_TYPE_MESSAGE, "invalid_request_error", "invalid_request_error"),
    429: (_RATE_LIMIT_MESSAGE, "rate_limit_error", "invalid_request_error"),
    500: ("Internal Server Error", "internal_error", "internal_error"),
    503: (
        _OVERLOAD_MESSAGE,
        "service_unavailable_error",
        "service_unavailable_error",
    ),
}
FAULT_STATUSES = frozenset({400, 401, *_FAULT_ERRORS})
