"""OpenTelemetry's instrumentation of the SDK beside this one: one span per call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from opentelemetry.trace import StatusCode
from opentelemetry.util.genai.handler import TelemetryHandler

from opentelemetry.instrumentation.deepseek import (
    DeepSeekInstrumentor,
    _anthropic_coexistence,
)
from opentelemetry.instrumentation.deepseek._endpoint import DeepSeekHosts

from .attributes import ANSWER, STREAM
from .bodies import EVENTS, encoded
from .conftest import recorded, recorded_events
from .test_streams import enter, in_manager, leave, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

genai_anthropic = pytest.importorskip(
    "opentelemetry.instrumentation.genai.anthropic",
    reason="needs opentelemetry-instrumentation-genai-anthropic: tox -e anthropic",
)
DEEPSEEK_SCOPE = "opentelemetry.instrumentation.deepseek"
OTHER_SCOPE = "opentelemetry.instrumentation.genai.anthropic"
ORDERS = ["deepseek, other", "other, deepseek"]


@pytest.fixture(params=ORDERS)
def instrument_both(
    request: pytest.FixtureRequest,
    instrument: Callable[..., None],
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., None]]:
    other = genai_anthropic.AnthropicInstrumentor()

    def instrument_both(**options: Any) -> None:
        for name in request.param.split(", "):
            if name == "deepseek":
                instrument("SPAN_ONLY", **options)
            else:
                monkeypatch.setenv(
                    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
                )
                other.instrument(
                    tracer_provider=telemetry.tracer_provider,
                    meter_provider=telemetry.meter_provider,
                )

    yield instrument_both
    other.uninstrument()


async def read_manager(manager: Any) -> None:
    response = await enter(manager)
    await read(response.iter_lines())
    await leave(manager)


CALLS: dict[str, tuple[dict[str, Any], Any]] = {
    "messages.create": ({}, None),
    "messages.create stream": ({"stream": True}, None),
    "messages.stream": ({}, in_manager(read)),
    "beta.messages.create": ({}, None),
    "beta.messages.stream": ({}, in_manager(read)),
    "messages.with_raw_response.create": ({}, None),
    "messages.with_streaming_response.create stream": ({"stream": True}, read_manager),
}


@pytest.mark.parametrize("name", CALLS)
def test_call_to_deepseek_has_only_our_span(
    instrument_both: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
) -> None:
    instrument_both()
    arguments, consume = CALLS[name]
    is_stream = "stream" in name
    deepseek.answer_next(recorded_events(EVENTS) if is_stream else recorded(encoded()))
    if consume is not None:
        arguments = {**arguments, "consume": consume}

    call(name.partition(" ")[0], **arguments)

    span = telemetry.span
    assert span.instrumentation_scope.name == DEEPSEEK_SCOPE
    expected = STREAM if is_stream else ANSWER
    assert expected.items() <= dict(span.attributes).items()
    (message,) = json.loads(span.attributes["gen_ai.output.messages"])
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text"]
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert duration.attributes["gen_ai.provider.name"] == "deepseek"


def test_failed_call_to_deepseek_has_only_our_span(
    instrument_both: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument_both()
    deepseek.fail_next("401")

    with pytest.raises(anthropic.AuthenticationError):
        call()

    span = telemetry.span
    assert span.instrumentation_scope.name == DEEPSEEK_SCOPE
    assert span.status.status_code is StatusCode.ERROR
    assert "1234" not in span.to_json()


def test_call_to_another_host_has_the_span_of_the_other(
    instrument_both: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument_both(hosts=[])

    call()

    scopes = {span.instrumentation_scope.name for span in telemetry.spans}
    assert OTHER_SCOPE in scopes
    assert DEEPSEEK_SCOPE not in scopes


@pytest.mark.internal_error
def test_call_of_an_unknown_form_is_left_to_the_other() -> None:
    wrapper = _anthropic_coexistence.invocation_wrapper(DeepSeekHosts())
    assert wrapper(lambda handler: f"span of {handler}", None, ("x",), {}) == (
        "span of x"
    )


def test_uninstrumented_package_leaves_calls_to_the_other(
    instrument_both: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument_both()
    DeepSeekInstrumentor().uninstrument()

    call()

    assert OTHER_SCOPE in {span.instrumentation_scope.name for span in telemetry.spans}


def test_private_function_of_the_other_is_where_it_was() -> None:
    assert callable(
        getattr(genai_anthropic.patch, _anthropic_coexistence.CREATE_INVOCATION)
    )


def test_enclosing_call_of_a_framework_gets_what_it_lacks(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    """By the protocol: there is one span, and it says who served the call."""
    instrument()
    deepseek.answer_next(recorded(encoded()))
    handler = TelemetryHandler(tracer_provider=telemetry.tracer_provider)

    with handler.inference("anthropic", request_model="deepseek-flash"):
        call()

    attributes = telemetry.span.attributes
    assert attributes["gen_ai.provider.name"] == "deepseek"
    assert attributes["gen_ai.usage.input_tokens"] == 97
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
