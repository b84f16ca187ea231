"""`dspy.LM("deepseek/…")` with both of its engines: one span for each request."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from examples.simulator import RecordedResponse
from tests.instrumentation.attributes import (
    START,
    THINKING,
    THINKING_STREAM,
    TRACE_ID,
    content,
)

from .conftest import KEY, dspy, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

ANSWER = sample("chat_thinking.json")


def test_call_has_one_span(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(ANSWER)

    ask(temperature=0.5, max_tokens=500)

    span = telemetry.span
    assert (span.name, span.kind) == ("chat deepseek-flash", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes == THINKING | TRACE_ID | {
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.temperature": 0.5,
    }


def test_content_is_recorded_when_it_is_on(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(ANSWER)

    ask()

    assert content(telemetry, "input.messages")[0]["parts"] == [
        {"type": "text", "content": "How many r's are in strawberry?"}
    ]
    (message,) = content(telemetry, "output.messages")
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]


@pytest.mark.parametrize("content_mode", ["", "SPAN_ONLY"])
def test_error_has_the_message_of_the_server(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content_mode: str,
) -> None:
    instrument(content_mode)
    deepseek.answer_next(sample("error_401_bad_key.json"))

    with pytest.raises(dspy.LMAuthError):
        ask()

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description.startswith(
        "Authentication Fails, Your api key: [redacted] is invalid"
    )
    assert span.attributes["http.response.status_code"] == 401
    assert span.attributes["error.type"].endswith(("AuthError", "AuthenticationError"))
    assert KEY not in span.to_json()


def test_error_quotes_no_content(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(RecordedResponse(body=b"The answer is SECRET ANSWER"))

    with pytest.raises(dspy.LMError):
        ask()

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert "SECRET" not in telemetry.span.to_json()


def test_each_attempt_has_a_span(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    lm: dspy.LM,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    lm.num_retries = 1
    deepseek.answer_next(sample("error_503.json"))
    deepseek.answer_next(ANSWER)

    ask()

    assert [span.status.status_code for span in telemetry.spans] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]


def test_cached_answer_has_no_span(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    lm: dspy.LM,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    lm.cache = True
    deepseek.answer_next(ANSWER)
    ask(rollout_id=id(telemetry), temperature=0.7)
    ask(rollout_id=id(telemetry), temperature=0.7)
    assert len(deepseek.exchanges) == len(telemetry.spans) == 1


def test_other_hosts_are_not_recorded(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["gateway.example.com"])
    deepseek.answer_next(ANSWER)
    ask()
    assert telemetry.spans == []


class Answer(dspy.Signature):
    """Answers the question."""

    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


STREAM = sample("stream_thinking.sse")


async def stream_answer(lm: dspy.LM, kind: str) -> None:
    with dspy.context(lm=lm):
        program = dspy.streamify(dspy.Predict(Answer), is_async_program=kind == "async")
        async for _ in program(question="How many r's are in strawberry?"):
            pass


def test_stream_has_one_span(
    instrument: Callable[..., None],
    lm: dspy.LM,
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    # DSPy repeats a call whose answer lacks the fields of the signature.
    deepseek.answer_next(STREAM, times=3)

    try:
        asyncio.run(stream_answer(lm, kind))
    except Exception:  # noqa: BLE001  # the recorded answer has no such field
        gc.collect()

    assert len(telemetry.spans) == len(deepseek.exchanges)
    span = telemetry.spans[0]
    recorded = {n: v for n, v in span.attributes.items() if not n.endswith("messages")}
    assert (
        recorded.items()
        >= {
            name: value
            for name, value in THINKING_STREAM.items()
            if name not in TRACE_ID
        }.items()
    )
    assert START.items() <= recorded.items()


def streamed_text(lm: dspy.LM, kind: str) -> str:
    """Streams an answer, which lacks the fields of the signature."""
    try:
        asyncio.run(stream_answer(lm, kind))
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""


@pytest.mark.parametrize("engine", ["lm15"])
@pytest.mark.parametrize(
    ("hosts", "model"),
    [(["gateway.example.com"], "deepseek-flash"), (["*"], "another-model")],
)
def test_stream_of_another_provider_has_no_span(
    instrument: Callable[..., None],
    lm: dspy.LM,
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    hosts: list[str],
    model: str,
) -> None:
    lm.model = f"deepseek/{model}"
    deepseek.answer_next(STREAM, times=6)
    expected = streamed_text(lm, kind)
    assert "There are **three** r's." in expected
    instrument(hosts=hosts)
    assert streamed_text(lm, kind) == expected
    assert telemetry.spans == []


@pytest.mark.internal_error
@pytest.mark.parametrize("engine", ["lm15"])
@pytest.mark.parametrize(
    "function", ["_dspy_patches._sent_request", "_dspy_calls._chunk"]
)
def test_stream_of_an_unknown_form_reaches_the_application(
    instrument: Callable[..., None],
    lm: dspy.LM,
    kind: str,
    deepseek: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
) -> None:
    def fail(_: Any) -> Any:
        raise KeyError("type")

    deepseek.answer_next(STREAM, times=6)
    expected = streamed_text(lm, kind)
    assert "There are **three** r's." in expected
    monkeypatch.setattr(f"opentelemetry.instrumentation.deepseek.{function}", fail)
    instrument()
    assert streamed_text(lm, kind) == expected


@pytest.mark.parametrize("first", ["autolog", "instrument"])
def test_mlflow_autolog(
    instrument: Callable[..., None],
    ask: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    tmp_path: Any,
    first: str,
) -> None:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    deepseek.answer_next(ANSWER, times=2)
    if first == "instrument":
        instrument()
    mlflow.dspy.autolog()
    if first == "autolog":
        instrument()
    try:
        ask()
    finally:
        mlflow.dspy.autolog(disable=True)
    ask()
    assert len(telemetry.spans) == 2


def test_call_in_anthropics_format_has_one_span(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument("SPAN_ONLY")
    lm = dspy.LM(
        "deepseek-anthropic:deepseek-flash",
        api_base=deepseek.base_url + "/anthropic/v1",
        api_key=KEY,
        cache=False,
        num_retries=0,
        engine="lm15",
    )
    lm("How many r's are in strawberry?", max_tokens=100)
    usage = deepseek.exchanges[0].usage
    attributes = telemetry.span.attributes
    assert attributes.items() >= START.items()
    assert attributes["gen_ai.usage.output_tokens"] == usage["output_tokens"]
    assert content(telemetry, "input.messages")[0]["role"] == "user"


@pytest.mark.parametrize("stream", [False, True])
def test_call_that_is_not_sampled_is_unchanged(
    instrument: Callable[..., None],
    lm: dspy.LM,
    kind: str,
    deepseek: Simulator,
    stream: bool,
) -> None:
    instrument(
        tracer_provider=TracerProvider(sampler=ALWAYS_OFF),
        meter_provider=NoOpMeterProvider(),
    )
    if not stream:
        deepseek.answer_next(ANSWER)
        assert lm("Hi")
        return
    deepseek.answer_next(STREAM, times=3)
    with suppress(Exception):  # the recorded answer lacks the field
        asyncio.run(stream_answer(lm, kind))
    assert deepseek.exchanges
