"""Errors: what the application gets is unchanged, and the span says what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import pydantic
import pytest
from opentelemetry.trace import StatusCode

from .attributes import ANSWER
from .bodies import encoded
from .conftest import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "error_type", "message"),
    [
        ("400", "anthropic.BadRequestError", "Content Exists Risk"),
        ("429", "anthropic.RateLimitError", "Too many requests"),
        ("503", "anthropic.", "Service is too busy"),
    ],
)
def test_status_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    fault: str,
    error_type: str,
    message: str,
    stream: bool,
) -> None:
    instrument()
    deepseek.fail_next(fault)

    with pytest.raises(anthropic.APIStatusError):
        call(stream=stream)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description.startswith(message)
    assert span.attributes["error.type"].startswith(error_type)
    assert span.attributes["http.response.status_code"] == int(fault)
    assert len(span.attributes["deepseek.response.trace_id"]) == 32
    assert span.events == ()


def test_key_is_not_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.fail_next("401")

    with pytest.raises(anthropic.AuthenticationError) as raised:
        call()

    assert "1234" in str(raised.value)
    assert "1234" not in telemetry.span.to_json()
    assert telemetry.span.status.description.startswith(
        "Authentication Fails, Your api key: [redacted] is invalid"
    )


@pytest.mark.parametrize(("content", "is_quoted"), [("", False), ("SPAN_ONLY", True)])
def test_error_quotes_content_only_if_content_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    content: str,
    is_quoted: bool,
) -> None:
    instrument(content)

    with pytest.raises(anthropic.BadRequestError) as raised:
        call(messages=[{"role": "user", "content": "?"}], tools="a secret")

    assert "a secret" in str(raised.value)
    assert ("a secret" in telemetry.span.status.description) is is_quoted


def test_one_span_covers_all_retries(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.fail_next("503", times=2)

    call(client_options={"max_retries": 2})

    assert len(deepseek.exchanges) == 3
    assert telemetry.span.status.status_code is StatusCode.UNSET


def test_connection_error_is_an_error(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    instrument()

    with pytest.raises(anthropic.APIConnectionError):
        call(client_options={"url": "http://127.0.0.1:1"})

    assert telemetry.span.attributes["error.type"] == "anthropic.APIConnectionError"


def test_call_with_missing_arguments_makes_no_request_and_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument()

    with pytest.raises(TypeError):
        call(unknown_argument=1)

    assert telemetry.spans == []


def test_error_in_a_body_with_status_200_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}'
    deepseek.answer_next(recorded(body))

    call()

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "Busy"
    assert span.attributes["error.type"] == "overloaded_error"


class Count(pydantic.BaseModel):
    count: int


@pytest.mark.skipif(
    not hasattr(anthropic.resources.Messages, "parse"),
    reason="this version of the SDK has no messages.parse",
)
@pytest.mark.parametrize("beta", ["", "beta."])
def test_answer_that_cannot_be_parsed_is_billed_and_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    beta: str,
) -> None:
    instrument()
    deepseek.answer_next(recorded(encoded()))

    with pytest.raises(pydantic.ValidationError):
        call(f"{beta}messages.parse", output_format=Count)

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"].endswith("ValidationError")
    assert "Three" not in span.to_json()
    expected = {**ANSWER, "gen_ai.output.type": "json"}
    assert expected.items() <= dict(span.attributes).items()


def test_parsed_answer_is_returned(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    if not hasattr(anthropic.resources.Messages, "parse"):
        pytest.skip("this version of the SDK has no messages.parse")
    instrument()
    deepseek.answer_next(recorded(encoded({"type": "text", "text": '{"count": 3}'})))

    message = call("messages.parse", output_format=Count)

    assert message.parsed_output == Count(count=3)
    assert telemetry.span.attributes["gen_ai.output.type"] == "json"
