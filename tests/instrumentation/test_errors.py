from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.trace import StatusCode

from opentelemetry.instrumentation.deepseek._errors import describe_error

from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


@pytest.mark.parametrize(
    ("name", "status", "error_type", "message"),
    [
        ("error_400_model.json", 400, "openai.BadRequestError", "deepseek-v4-pro"),
        ("error_400_no_body.txt", 400, "openai.BadRequestError", ""),
        ("error_401_bad_key.json", 401, "openai.AuthenticationError", "[redacted] is"),
        ("error_402.json", 402, "402", "Insufficient Balance"),
        ("error_422_composed.json", 422, "openai.UnprocessableEntityError", ""),
        ("error_429_concurrency.json", 429, "openai.RateLimitError", "Too many"),
        ("error_500_composed.json", 500, "openai.InternalServerError", ""),
        ("error_503.json", 503, "openai.InternalServerError", "too busy"),
    ],
)
def test_api_error_is_raised_unchanged_and_recorded_on_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    status: int,
    error_type: str,
    message: str,
) -> None:
    deepseek.answer_next(sample(name))
    with pytest.raises(openai.APIStatusError) as expected:
        call()
    instrument()
    deepseek.answer_next(sample(name))
    with pytest.raises(openai.APIStatusError) as raised:
        call()

    assert type(raised.value) is type(expected.value)
    assert str(raised.value) == str(expected.value)
    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert message in (span.status.description or "")
    assert "0000" not in (span.status.description or "")
    assert span.attributes["error.type"] == error_type
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert span.attributes["deepseek.response.trace_id"]
    assert span.events == ()


def test_connection_error_is_recorded_on_the_span(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    instrument()
    client = openai.OpenAI(
        base_url="http://127.0.0.1:9", api_key="sk-test-1234", max_retries=0
    )
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="deepseek-flash", messages=[])
    assert telemetry.span.attributes["error.type"] == "openai.APIConnectionError"
    assert telemetry.span.attributes["server.port"] == 9


def test_missing_arguments_raise_the_same_error_as_without_instrumentation(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    def error_message(client: Any) -> str:
        with pytest.raises(TypeError) as error:
            client.chat.completions.create(model="deepseek-flash")
        return str(error.value)

    clients = [
        client_class(base_url="http://127.0.0.1:9", api_key="none")
        for client_class in (openai.OpenAI, openai.AsyncOpenAI)
    ]
    expected = [error_message(client) for client in clients]
    instrument()
    assert [error_message(client) for client in clients] == expected


def test_retried_call_is_one_span_over_all_attempts(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.fail_next("503", times=1)

    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    client.chat.completions.create(
        model="deepseek-flash", messages=[{"role": "user", "content": "Hi"}]
    )

    assert [exchange.status for exchange in deepseek.exchanges] == [503, 200]
    assert telemetry.span.status.status_code is StatusCode.UNSET


class FieldsError(Exception):
    def __init__(self, **fields: object) -> None:
        super().__init__("message of the exception itself")
        self.__dict__.update(fields)


@pytest.mark.parametrize(
    ("error", "without_content", "with_content"),
    [
        (FieldsError(), "", "message of the exception itself"),
        (FieldsError(message="plain"), "plain", "plain"),
        (FieldsError(message="m", body={"message": "b"}), "b", "b"),
        (
            FieldsError(message='invalid type: string "my \\"own\\" words", expected'),
            'invalid type: string "…", expected',
            'invalid type: string "my \\"own\\" words", expected',
        ),
        (
            FieldsError(message="key ****1a2b and sk-abc-9 and Bearer abc.def"),
            "key [redacted] and [redacted] and Bearer [redacted]",
            "key [redacted] and [redacted] and Bearer [redacted]",
        ),
        (FieldsError(message="half \ud800 a pair"), "half ? a pair", "half ? a pair"),
    ],
)
def test_error_message_has_no_secrets_and_no_content_without_capture(
    error: Exception, without_content: str, with_content: str
) -> None:
    assert describe_error(error, with_content=False).message == without_content
    assert describe_error(error, with_content=True).message == with_content
