"""Fixtures: real HTTP clients that call a simulated DeepSeek."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentation import conftest as instrumentation

from .clients import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

# The fixtures of the tests with the openai SDK.
comparison = instrumentation.comparison
deepseek = instrumentation.deepseek
instrument = instrumentation.instrument
telemetry = instrumentation.telemetry
_fail_on_suppressed_errors = instrumentation._fail_on_suppressed_errors

PATHS = {
    "chat": "/chat/completions",
    "text_completion": "/beta/completions",
    "responses": "/v1/responses",
    "messages": "/anthropic/v1/messages",
}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def call(client: str, deepseek: Simulator) -> Callable[..., Any]:
    """Sends one request with a client, and reads its response."""

    def call(
        body: Any = None,
        read: Any = None,
        *,
        path: str = PATHS["chat"],
        url: str | None = None,
        **options: Any,
    ) -> Any:
        body = instrumentation.CHAT if body is None else body
        options.setdefault("headers", {"authorization": "Bearer sk-http-1234"})
        url = url or deepseek.base_url + path
        result = CLIENTS[client].post(url, body, read, **options)
        return asyncio.run(result) if inspect.isawaitable(result) else result

    return call
