"""OpenTelemetry's instrumentations of HTTP clients, switched on before or after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from tests.instrumentation.conftest import CHAT, sample

from .conftest import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

INSTRUMENTORS = {
    "httpx": (HTTPXClientInstrumentor, lambda url: httpx.post(url, json=CHAT)),
    "requests": (RequestsInstrumentor, lambda url: requests.post(url, json=CHAT)),
}


@pytest.fixture(params=INSTRUMENTORS)
def other(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Callable[..., Any]]]:
    instrumentor, post = INSTRUMENTORS[request.param]
    yield instrumentor(), post
    if instrumentor().is_instrumented_by_opentelemetry:
        instrumentor().uninstrument()


@pytest.mark.parametrize("is_first", [False, True])
def test_the_request_is_the_child_of_the_call(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    other: tuple[Any, Callable[..., Any]],
    is_first: bool,
) -> None:
    instrumentor, post = other
    url = deepseek.base_url + PATHS["chat"]
    deepseek.answer_next(sample("chat_thinking.json"), times=3)
    switches = [
        instrument,
        lambda: instrumentor.instrument(tracer_provider=telemetry.tracer_provider),
    ]
    for switch in reversed(switches) if is_first else switches:
        switch()

    post(url)
    request, call = telemetry.spans
    assert (request.name, call.name) == ("POST", "chat deepseek-flash")
    assert request.parent.span_id == call.context.span_id

    instrumentor.uninstrument()
    post(url)
    assert [span.name for span in telemetry.spans[2:]] == ["chat deepseek-flash"]

    DeepSeekInstrumentor().uninstrument()
    post(url)
    assert len(telemetry.spans) == 3
