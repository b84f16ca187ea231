"""Responses that the SDK or pydantic cannot parse: their tokens are billed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pydantic
import pytest
from opentelemetry.trace import StatusCode

from .attributes import START, content
from .conftest import CHAT
from .recorded_bodies import choice, completion, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import RecordedResponse, Simulator

    from .conftest import Telemetry

VALIDATION_ERROR = "pydantic_core._pydantic_core.ValidationError"
PROSE = "Sure! The answer is 21."
FENCED_JSON = '```json\n{"answer": 21}\n```'


class Answer(pydantic.BaseModel):
    answer: int


class EvenAnswer(Answer):
    @pydantic.field_validator("answer")
    @classmethod
    def is_even(cls, answer: int) -> int:
        # Pydantic does not wrap an error of this type.
        raise LookupError(str(answer))


def completion_with(text: str) -> RecordedResponse:
    usage = {"prompt_tokens": 9, "completion_tokens": 7}
    return completion(choice(content=text), usage=usage)


def response_with(text: str) -> RecordedResponse:
    item = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    usage = {"input_tokens": 9, "output_tokens": 7}
    return json_response(
        {
            "id": "1",
            "model": "deepseek-flash",
            "status": "completed",
            "output": [item],
            "usage": usage,
        }
    )


CHAT_ARGUMENTS = {"response_format": Answer}
RESPONSES_ARGUMENTS = {
    "resource": "responses",
    "model": "deepseek-flash",
    "input": "Hi",
    "text_format": Answer,
}


@pytest.mark.parametrize("text", [PROSE, FENCED_JSON])
@pytest.mark.parametrize(
    ("response_with_text", "arguments"),
    [(completion_with, CHAT_ARGUMENTS), (response_with, RESPONSES_ARGUMENTS)],
)
@pytest.mark.parametrize(
    ("method", "consume"),
    [
        ("parse", lambda result: result),
        ("with_raw_response.parse", lambda response: response.parse()),
    ],
)
def test_answer_that_does_not_match_the_model_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    text: str,
    response_with_text: Callable[[str], RecordedResponse],
    arguments: dict[str, Any],
    method: str,
    consume: Callable[[Any], Any],
) -> None:
    deepseek.answer_next(response_with_text(text), times=2)
    with pytest.raises(pydantic.ValidationError) as expected:
        call(method, consume=consume, **arguments)
    instrument("SPAN_ONLY")
    with pytest.raises(pydantic.ValidationError) as raised:
        call(method, consume=consume, **arguments)
    assert raised.value.errors() == expected.value.errors()

    attributes = dict(telemetry.span.attributes)
    (message,) = content(telemetry, "output.messages")
    assert message["parts"] == [{"type": "text", "content": text}]
    for name in ("input.messages", "output.messages"):
        del attributes[f"gen_ai.{name}"]
    attributes.pop("deepseek.response.trace_id", None)  # of a raw response
    # A raw response is complete before the application parses it.
    has_error = method == "parse"
    assert telemetry.span.status.status_code is (
        StatusCode.ERROR if has_error else StatusCode.UNSET
    )
    assert attributes == START | {
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "1",
        "gen_ai.response.model": "deepseek-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 7,
    } | ({"error.type": VALIDATION_ERROR} if has_error else {})


def test_answer_that_a_validator_rejects_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(completion_with('{"answer": 21}'))
    with pytest.raises(LookupError):
        call("parse", response_format=EvenAnswer)
    attributes = telemetry.span.attributes
    assert attributes["error.type"] == "LookupError"
    assert attributes["gen_ai.usage.output_tokens"] == 7


def test_response_that_strict_validation_rejects_is_recorded(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument()
    deepseek.answer_next(completion_with("Hi"))  # without `created`
    with (
        openai.OpenAI(
            base_url=deepseek.base_url,
            api_key="sk-test-1234",
            _strict_response_validation=True,
        ) as client,
        pytest.raises(openai.APIResponseValidationError),
    ):
        client.chat.completions.create(**CHAT)
    attributes = telemetry.span.attributes
    assert attributes["error.type"] == "openai.APIResponseValidationError"
    assert attributes["gen_ai.response.id"] == "1"
    assert attributes["gen_ai.usage.output_tokens"] == 7


def test_connection_error_has_no_response(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    instrument()
    with (
        openai.OpenAI(
            base_url="http://127.0.0.1:9", api_key="none", max_retries=0
        ) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        client.chat.completions.parse(**CHAT)
    assert "gen_ai.response.id" not in telemetry.span.attributes
