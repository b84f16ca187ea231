"""The newer SDK makes spans of its own: a call to DeepSeek has only ours."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anthropic
import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider

from opentelemetry.instrumentation.deepseek import (
    DeepSeekInstrumentor,
    _anthropic_client,
)

from .bodies import EVENTS, QUESTION
from .conftest import IS_TRACED_BY_SDK, MESSAGE, make_client, recorded_events
from .test_streams import in_manager, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

pytestmark = pytest.mark.skipif(
    not IS_TRACED_BY_SDK, reason="this version of the SDK makes no spans"
)
DEEPSEEK_SCOPE = "opentelemetry.instrumentation.deepseek"
SDK_SCOPE = "com.anthropic.sdk.python"


def scopes(telemetry: Telemetry) -> list[str]:
    return [span.instrumentation_scope.name for span in telemetry.spans]


def test_sdk_makes_a_span_without_this_package(
    call: Callable[..., Any], telemetry: Telemetry
) -> None:
    call()

    assert scopes(telemetry) == [SDK_SCOPE]


@pytest.mark.parametrize("method", ["create", "stream"])
def test_other_host_keeps_the_span_of_the_sdk(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    instrument(hosts=[])
    if method == "stream":
        deepseek.answer_next(recorded_events(EVENTS))
        call("messages.stream", consume=in_manager(read))
    else:
        call()

    assert scopes(telemetry) == [SDK_SCOPE]


def test_other_requests_keep_the_span_of_the_sdk(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()

    with (
        make_client("Anthropic", deepseek.base_url, telemetry) as client,
        pytest.raises(anthropic.NotFoundError),
    ):
        client.messages.count_tokens(model="deepseek-flash", messages=QUESTION)

    assert scopes(telemetry) == [SDK_SCOPE]


def test_uninstrumented_sdk_makes_its_span_again(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument()
    call()
    DeepSeekInstrumentor().uninstrument()
    call()

    assert scopes(telemetry) == [DEEPSEEK_SCOPE, SDK_SCOPE]


def traceparent(telemetry: Telemetry) -> str:
    context = telemetry.span.get_span_context()
    flags = f"{context.trace_flags:02x}"
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags}"


@pytest.mark.parametrize(
    "headers", [{}, {"extra_headers": {"Traceparent": "00-1-2-01", "x-app": "1"}}]
)
def test_request_carries_the_context_of_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    headers: dict[str, Any],
) -> None:
    """As the SDK's own span does: it replaces the application's header, too."""
    instrument()

    call(**headers)

    sent = deepseek.exchanges[-1].request_headers
    assert sent["traceparent"] == traceparent(telemetry)
    assert ("x-app" in sent) is bool(headers)


@pytest.mark.parametrize("option", [{"propagation": False}, {"traces": False}])
def test_request_carries_no_context_if_the_client_sends_none(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    option: dict[str, Any],
) -> None:
    instrument()
    option["tracer_provider"] = telemetry.tracer_provider

    call(client_options={"open_telemetry": option})

    assert "traceparent" not in deepseek.exchanges[-1].request_headers
    assert scopes(telemetry) == [DEEPSEEK_SCOPE]


@pytest.mark.parametrize("has_parent", [False, True])
def test_request_carries_no_context_if_the_sdk_has_no_provider(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    has_parent: bool,
) -> None:
    """The SDK then sends the context of the application's span, if there is one."""
    instrument()
    tracer = telemetry.tracer_provider.get_tracer("app")

    with tracer.start_as_current_span("app") if has_parent else nullcontext():
        call(client_options={"open_telemetry": {}})

    assert ("traceparent" in deepseek.exchanges[-1].request_headers) is has_parent
    assert scopes(telemetry)[0] == DEEPSEEK_SCOPE


def test_conversation_of_the_client_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument()
    option = {
        "tracer_provider": telemetry.tracer_provider,
        "conversation_id": "conv_123",
    }

    call(client_options={"open_telemetry": option})

    assert telemetry.span.attributes["gen_ai.conversation.id"] == "conv_123"


def test_options_of_the_application_are_not_changed(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    from anthropic._models import FinalRequestOptions

    instrument()
    options = FinalRequestOptions(
        method="post", url="/v1/messages", json_data=MESSAGE, span_name="app"
    )
    before = options.model_dump()

    with make_client("Anthropic", deepseek.base_url, telemetry) as client:
        for _ in range(2):
            assert client.request(anthropic.types.Message, options).content
        other = FinalRequestOptions(method="post", url="v1/messages", json_data=MESSAGE)
        assert client.request(cast_to=anthropic.types.Message, options=other).content

    assert options.model_dump() == before
    assert scopes(telemetry) == [DEEPSEEK_SCOPE] * 3


def test_span_of_the_sdk_remains_if_no_other_is_recorded(
    call: Callable[..., Any], deepseek: Simulator, telemetry: Telemetry
) -> None:
    DeepSeekInstrumentor().instrument(
        tracer_provider=NoOpTracerProvider(),
        meter_provider=NoOpMeterProvider(),
        hosts=[urlsplit(deepseek.base_url).netloc],
    )
    try:
        call()
    finally:
        DeepSeekInstrumentor().uninstrument()

    assert scopes(telemetry) == [SDK_SCOPE]


def test_span_of_the_sdk_remains_while_instrumentation_is_suppressed(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    instrument()
    with suppress_instrumentation():
        call()

    assert scopes(telemetry) == [SDK_SCOPE]


@pytest.mark.parametrize("hosts", [[], ["*"]])
def test_other_model_at_another_host_keeps_the_span_of_the_sdk(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    hosts: list[str],
) -> None:
    instrument(hosts=hosts)
    call(model="claude-x")

    assert scopes(telemetry) == [SDK_SCOPE]


@pytest.mark.internal_error
def test_request_of_an_unknown_form_keeps_the_span_of_the_sdk(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(_anthropic_client, "_body")
    instrument()
    assert call().content

    assert scopes(telemetry) == [SDK_SCOPE]
