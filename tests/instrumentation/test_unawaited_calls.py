"""A call that is cancelled before it starts, or never awaited, behaves as before."""

from __future__ import annotations

import asyncio
import gc
import inspect
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from openai import AsyncOpenAI

from .conftest import CHAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Telemetry

Call = Any  # a coroutine


def create() -> Call:
    client = AsyncOpenAI(base_url="https://api.deepseek.com", api_key="sk-1234")
    return client.chat.completions.create(**CHAT)


def drop(call: Call) -> None:
    del call


def close(call: Call) -> None:
    call.close()


def throw(call: Call) -> None:
    with suppress(ZeroDivisionError):
        call.throw(ZeroDivisionError())


def cancel_task(call: Call) -> None:
    async def run() -> None:
        asyncio.create_task(call).cancel()

    asyncio.run(run())


def warnings_of(end: Callable[[Call], None]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        end(create())
        gc.collect()
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("end", [drop, close, throw, cancel_task])
def test_call_that_does_not_start_warns_as_before(
    end: Callable[[Call], None],
    instrument: Callable[..., None],
    telemetry: Telemetry,
) -> None:
    before = warnings_of(end)
    instrument()
    assert warnings_of(end) == before
    assert before == (
        ["coroutine 'AsyncCompletions.create' was never awaited"] if end is drop else []
    )
    assert telemetry.spans == []


def test_call_is_a_coroutine_with_the_name_of_the_method(
    instrument: Callable[..., None],
) -> None:
    instrument()
    call = create()
    assert inspect.iscoroutine(call)
    assert (call.__name__, call.__qualname__) == ("create", "AsyncCompletions.create")
    call.close()


def test_awaitable_of_another_wrapper_is_not_closed(
    instrument: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Request:
        is_closed = False

        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return "answer"

        def close(self) -> None:
            self.is_closed = True

    request = Request()
    monkeypatch.setattr(
        "openai.resources.chat.completions.AsyncCompletions.create",
        lambda *_, **__: request,
    )
    instrument()

    async def run() -> Any:
        return await create()

    assert asyncio.run(run()) == "answer"
    assert not request.is_closed
