"""Fixtures: real `anthropic` clients that call a simulated DeepSeek over HTTP.

Newer versions of the SDK make spans of their own. The clients get the provider of the
test for these, so that every test that expects one span fails if there are two.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from examples.simulator import RecordedResponse
from tests.instrumentation import conftest as instrumentation
from tests.instrumentation.conftest import read_all

from .bodies import QUESTION, sse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

# The fixtures of the tests with the openai SDK.
deepseek = instrumentation.deepseek
instrument = instrumentation.instrument
telemetry = instrumentation.telemetry
_fail_on_suppressed_errors = instrumentation._fail_on_suppressed_errors

anthropic = pytest.importorskip("anthropic", reason="run tox -e anthropic")

MESSAGE = {"model": "deepseek-flash", "max_tokens": 1000, "messages": QUESTION}
IS_TRACED_BY_SDK = hasattr(anthropic.Anthropic, "open_telemetry")


def recorded(body: bytes, content_type: str = "application/json") -> RecordedResponse:
    return RecordedResponse(200, {"content-type": content_type}, body)


def recorded_events(events: Iterable[Mapping[str, Any]]) -> RecordedResponse:
    return recorded(sse(events), "text/event-stream; charset=utf-8")


def make_client(kind: str, url: str, telemetry: Telemetry, **options: Any) -> Any:
    if IS_TRACED_BY_SDK:
        options.setdefault(
            "open_telemetry", {"tracer_provider": telemetry.tracer_provider}
        )
    http_clients = {
        "Anthropic": anthropic.DefaultHttpxClient,
        "AsyncAnthropic": anthropic.DefaultAsyncHttpxClient,
    }
    return getattr(anthropic, kind)(
        **{
            "base_url": f"{url}/anthropic",
            "api_key": "sk-test-1234",
            "max_retries": 0,
            # Loading certificates would take longer than the rest of the call.
            "http_client": http_clients[kind](verify=False),
            **options,
        }
    )


@pytest.fixture(params=["Anthropic", "AsyncAnthropic"])
def client_class(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def call(
    client_class: str, deepseek: Simulator, telemetry: Telemetry
) -> Callable[..., Any]:
    """Makes one call with either client, and consumes its result."""

    def call(
        method: str = "messages.create",
        *,
        consume: Callable[[Any], Any] = read_all,
        client_options: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        async def run() -> Any:
            options = {"url": deepseek.base_url, **(client_options or {})}
            client = make_client(client_class, telemetry=telemetry, **options)
            try:
                function = client
                for name in method.split("."):
                    function = getattr(function, name)
                result = function(**MESSAGE | arguments)
                if inspect.isawaitable(result):
                    result = await result
                consumed = consume(result)
                return await consumed if inspect.isawaitable(consumed) else consumed
            finally:
                closing = client.close()
                if inspect.isawaitable(closing):
                    await closing

        return asyncio.run(run())

    return call
