"""litellm's own callback `otel`, and MLflow's autologging, beside this package."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation

from opentelemetry.instrumentation.deepseek._litellm_otel import _TracerWithoutCall

from .conftest import KEY, litellm, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry


@pytest.fixture(params=["v1", "v2"])
def otel(
    request: pytest.FixtureRequest,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Turns litellm's callback on, with the provider of this test."""
    if request.param == "v1":
        from litellm.integrations.opentelemetry import (
            OpenTelemetry,
            OpenTelemetryConfig,
        )

        callback: Any = OpenTelemetry(
            config=OpenTelemetryConfig(exporter="console"),
            tracer_provider=telemetry.tracer_provider,
        )
    else:
        from litellm.integrations.otel.logger import OpenTelemetryV2
        from litellm.integrations.otel.model.config import OpenTelemetryV2Config

        callback = OpenTelemetryV2(
            config=OpenTelemetryV2Config(), tracer_provider=telemetry.tracer_provider
        )
    monkeypatch.setattr(litellm, "callbacks", [callback])


def wait_for_callbacks() -> None:
    # litellm calls them in threads, and has no way to wait.
    time.sleep(1)


async def read_and_wait(result: Any) -> Any:
    if hasattr(result, "__anext__"):
        async for _ in result:
            pass
    await asyncio.sleep(1)


def consume(kind: str) -> Callable[[Any], Any]:
    if kind == "async":
        return read_and_wait
    return lambda result: list(result) if hasattr(result, "__next__") else result


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["deepseek/deepseek-flash", "openai/deepseek-flash"])
def test_call_has_one_span_beside_the_callback(
    otel: None,
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    stream: bool,
    model: str,
) -> None:
    instrument()
    deepseek.answer_next(
        sample("stream_thinking.sse" if stream else "chat_thinking.json")
    )

    call(model=model, stream=stream, consume=consume(kind))
    wait_for_callbacks()

    span = telemetry.span
    assert span.instrumentation_scope.name == ("opentelemetry.instrumentation.deepseek")
    assert "strawberry" not in span.to_json()


def test_failed_call_has_one_span_beside_the_callback(
    otel: None,
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_401_bad_key.json"))
    with pytest.raises(litellm.AuthenticationError):
        call()
    wait_for_callbacks()
    assert telemetry.span.attributes["gen_ai.provider.name"] == "deepseek"
    assert KEY not in telemetry.span.to_json()


@pytest.mark.parametrize("kind", ["async"])  # version 2 has no synchronous callback
def test_callback_makes_spans_of_other_calls(
    otel: None,
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["gateway.example.com"])
    deepseek.answer_next(sample("chat_thinking.json"))
    call(model="mistral/mistral-large", consume=consume(kind))
    wait_for_callbacks()
    assert telemetry.spans
    assert {span.instrumentation_scope.name for span in telemetry.spans} == {"litellm"}


def test_callback_makes_spans_of_calls_that_are_not_recorded(
    otel: None,
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    deepseek.answer_next(sample("chat_thinking.json"), times=2)

    def scopes() -> list[str]:
        call(mock_response="I am a mock", consume=consume(kind))
        with suppress_instrumentation():
            call(consume=consume(kind))
        wait_for_callbacks()
        return [span.instrumentation_scope.name for span in telemetry.spans]

    before = scopes()
    instrument()
    assert scopes() == before * 2
    assert set(before) <= {"litellm"}


@pytest.mark.parametrize("kind", ["async"])  # version 2 has no synchronous callback
def test_callback_makes_the_span_of_a_cached_answer(
    otel: None,
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(litellm, "cache", litellm.Cache())
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))
    for _ in range(2):
        call(caching=True, consume=consume(kind))
    wait_for_callbacks()

    recorded, *others = [span.instrumentation_scope.name for span in telemetry.spans]
    assert recorded == "opentelemetry.instrumentation.deepseek"
    assert set(others) == {"litellm"}


def test_tracer_of_the_callback_leaves_out_spans_of_one_name(
    telemetry: Telemetry,
) -> None:
    tracer = _TracerWithoutCall(
        telemetry.tracer_provider.get_tracer("litellm"), frozenset({"litellm_request"})
    )
    tracer.start_span("litellm_request").end()
    tracer.start_span("guardrail").end()
    with tracer.start_as_current_span("request"):
        pass
    assert [span.name for span in telemetry.spans] == ["guardrail", "request"]


@pytest.mark.parametrize("first", ["autolog", "instrument"])
def test_mlflow_autolog(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    tmp_path: Any,
    first: str,
) -> None:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    deepseek.answer_next(sample("chat_thinking.json"), times=2)
    if first == "instrument":
        instrument()
    mlflow.litellm.autolog()
    if first == "autolog":
        instrument()
    try:
        call()
        wait_for_callbacks()
    finally:
        mlflow.litellm.autolog(disable=True)
    call()

    assert len(telemetry.spans) == 2
