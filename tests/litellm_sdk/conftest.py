"""Fixtures: the real litellm, which calls a simulated DeepSeek over HTTP."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentation.conftest import (  # noqa: F401  # fixtures
    QUESTION,
    Telemetry,
    _fail_on_suppressed_errors,
    deepseek,
    instrument,
    sample,
    telemetry,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import litellm
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.simulator import Simulator

KEY = "sk-litellm-1234"
MODEL = "deepseek/deepseek-flash"


def pytest_itemcollected(item: pytest.Item) -> None:
    # litellm and the libraries below it warn of themselves.
    if Path(__file__).parent in item.path.parents:
        item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def _default_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restores what litellm changes in itself, such as its number of retries."""
    for name in ("callbacks", "success_callback", "failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    for name in ("_async_success_callback", "_async_failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm, "num_retries", None)
    monkeypatch.setattr(litellm, "cache", None)
    yield
    # Clients of closed event loops.
    litellm.in_memory_llm_clients_cache.flush_cache()


@pytest.fixture
def call(kind: str, deepseek: Simulator) -> Callable[..., Any]:  # noqa: F811
    """Calls a function of litellm, or its asynchronous form, and reads the result."""

    def call(
        name: str = "completion",
        *,
        consume: Callable[[Any], Any] = read_all,
        **arguments: Any,
    ) -> Any:
        defaults = {"model": MODEL, "api_base": deepseek.base_url, "api_key": KEY}
        if name == "completion":
            defaults["messages"] = QUESTION
        arguments = defaults | arguments
        if kind == "sync":
            return consume(getattr(litellm, name)(**arguments))

        async def run() -> Any:
            try:
                result = consume(await getattr(litellm, f"a{name}")(**arguments))
                return await result if inspect.isawaitable(result) else result
            finally:
                # Callbacks would run in the event loop of another test.
                await GLOBAL_LOGGING_WORKER.flush()

        return asyncio.run(run())

    return call


def read_all(result: Any) -> Any:
    """Returns the chunks of a stream; anything else as it is.

    A stream of litellm is an iterator and an asynchronous iterator, so the loop that
    runs decides.
    """
    if not hasattr(result, "__next__"):
        return result
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return list(result)
    return read_all_async(result)


async def read_all_async(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]
