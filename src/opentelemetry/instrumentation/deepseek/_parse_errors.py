"""Finds the response in an error that the SDK raises when it parses a response.

Its tokens are billed, so they are recorded with the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from traceback import walk_tb
from typing import Any, Final, cast

_SDK_MODULES: Final = ("anthropic.", "openai.")


def response_of(error: BaseException, response_field: str) -> object:
    """Returns the response that the SDK could not parse, or None.

    `response_field` is the name of a field that a whole response has.
    """
    # `parse()` raises this error if the completion was cut for length or filtered.
    if (completion := getattr(error, "completion", None)) is not None:
        return completion
    # A client with strict validation raises an error with the body.
    body: object = getattr(error, "body", None)
    if isinstance(body, Mapping) and response_field in body:
        return cast("Mapping[str, Any]", body)
    return _response_in_traceback(error, response_field)


def _response_in_traceback(error: BaseException, response_field: str) -> object:
    """Returns the response from the frames of the SDK in the traceback of `error`.

    `parse()` raises pydantic's ValidationError if an answer does not match the model of
    the application. That error has only the text of the answer. The response with its
    id and its tokens is nowhere but in a local variable of the SDK.
    """
    for frame, _ in walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").startswith(_SDK_MODULES):
            for value in frame.f_locals.values():
                if response_field in getattr(value, "__dict__", ()):
                    return value
    return None
