"""Responses with status 200 whose body says that the call has failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from .conftest import read_all
from .recorded_bodies import choice, chunk, completion, event_stream, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import RecordedResponse, Simulator

    from .conftest import Telemetry

Json = dict[str, Any]

PROVIDER_ERROR = {"message": "Provider returned error", "code": 429}
RESPONSE = {"id": "1", "model": "deepseek-flash", "output": []}
SERVER_ERROR = {"code": "server_error", "message": "The server had an error"}
FAILED_RESPONSE = RESPONSE | {"status": "failed", "error": SERVER_ERROR}
RESPONSES_ARGUMENTS = {
    "resource": "responses",
    "model": "deepseek-flash",
    "input": "Hi",
}


def error_of(telemetry: Telemetry) -> tuple[Any, Any, Any]:
    span = telemetry.span
    return (
        span.status.status_code,
        span.attributes.get("error.type"),
        span.status.description,
    )


@pytest.mark.parametrize(
    ("response", "error_type", "message"),
    [
        (json_response({"error": PROVIDER_ERROR}), "429", "Provider returned error"),
        (
            json_response({"error": PROVIDER_ERROR, "choices": None}),
            "429",
            "Provider returned error",
        ),
        (
            completion(
                choice(finish_reason="error", content="Half")
                | {"error": {"message": "Overloaded", "type": "overloaded_error"}}
            ),
            "overloaded_error",
            "Overloaded",
        ),
        (json_response({"error": "No capacity"}), "_OTHER", "No capacity"),
        (json_response({"error": {"code": "bad sk-1234"}}), "bad [redacted]", ""),
        (json_response({"error": {"code": None}}), "_OTHER", ""),
        (
            json_response({"error": {"code": 401, "message": "Key sk-1234 is bad"}}),
            "401",
            "Key [redacted] is bad",
        ),
    ],
)
@pytest.mark.parametrize(
    ("method", "consume"),
    [
        ("create", read_all),
        ("with_raw_response.create", lambda response: response.parse()),
    ],
)
def test_error_in_the_body_of_a_completion_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    response: RecordedResponse,
    error_type: str,
    message: str,
    method: str,
    consume: Callable[[Any], Any],
) -> None:
    deepseek.answer_next(response, times=2)
    expected = call(method, consume=consume)
    instrument()
    assert call(method, consume=consume) == expected
    assert error_of(telemetry) == (StatusCode.ERROR, error_type, message)


@pytest.mark.parametrize("place", ["body", "choice"])
@pytest.mark.parametrize("error", [None, {}, ""])
def test_empty_error_in_a_body_is_no_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    place: str,
    error: Any,
) -> None:
    instrument()
    only_choice = choice(content="Hi")
    response = (
        completion(only_choice, error=error)
        if place == "body"
        else completion(only_choice | {"error": error})
    )
    deepseek.answer_next(response)
    call()
    assert error_of(telemetry) == (StatusCode.UNSET, None, None)


def test_quoted_content_in_an_error_is_recorded_only_with_content(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    error = {"code": 400, "message": 'invalid type: string "my secret question"'}
    deepseek.answer_next(json_response({"error": error}))
    call()
    assert error_of(telemetry) == (StatusCode.ERROR, "400", 'invalid type: string "…"')


def test_parse_of_a_failed_body_has_the_error_of_the_body(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    deepseek.answer_next(
        json_response({"error": PROVIDER_ERROR, "choices": None}), times=2
    )
    with pytest.raises(TypeError) as expected:
        call("parse")
    instrument()
    with pytest.raises(TypeError) as raised:
        call("parse")
    assert str(raised.value) == str(expected.value)
    assert error_of(telemetry) == (StatusCode.ERROR, "429", "Provider returned error")


def test_error_in_a_stream_that_is_read_as_lines_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(event_stream(chunk(content="Half"), {"error": PROVIDER_ERROR}))

    async def read_lines(manager: Any) -> None:
        if hasattr(manager, "__enter__"):
            with manager as response:
                list(response.iter_lines())
        else:
            async with manager as response:
                [line async for line in response.iter_lines()]

    call("with_streaming_response.create", stream=True, consume=read_lines)
    assert error_of(telemetry) == (StatusCode.ERROR, "429", "Provider returned error")
    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    assert message["parts"] == [{"type": "text", "content": "Half"}]


@pytest.mark.parametrize(
    ("response", "error_type", "message"),
    [
        (json_response(FAILED_RESPONSE), "server_error", "The server had an error"),
        (json_response(FAILED_RESPONSE | {"error": None}), "_OTHER", ""),
        (json_response({"error": PROVIDER_ERROR}), "429", "Provider returned error"),
        (
            event_stream({"type": "response.failed", "response": FAILED_RESPONSE}),
            "server_error",
            "The server had an error",
        ),
        (
            event_stream({"type": "error", **SERVER_ERROR}),
            "server_error",
            "The server had an error",
        ),
    ],
)
def test_failed_response_of_the_responses_api_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    response: RecordedResponse,
    error_type: str,
    message: str,
) -> None:
    is_stream = "content-type" in response.headers
    arguments = RESPONSES_ARGUMENTS | {"stream": is_stream}
    deepseek.answer_next(response, times=2)
    expected = call(**arguments)
    instrument()
    assert call(**arguments) == expected
    assert error_of(telemetry) == (StatusCode.ERROR, error_type, message)


def test_incomplete_response_of_the_responses_api_is_no_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    deepseek.answer_next(json_response(RESPONSE | {"status": "incomplete"} | details))
    call(**RESPONSES_ARGUMENTS)
    assert error_of(telemetry) == (StatusCode.UNSET, None, None)
