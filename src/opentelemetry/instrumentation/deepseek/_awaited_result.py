"""The coroutine that a wrapper returns in place of that of an asynchronous function."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class AwaitedResult:
    """The result of an asynchronous function, which a coroutine of a wrapper awaits.

    A coroutine may be closed before it has started, as that of a task that is cancelled
    at once. Then the result is closed too: Python would warn that nothing has awaited
    it, and without the wrapper there is no such warning.
    """

    __slots__ = ("_is_coroutine", "awaitable")

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable
        self._is_coroutine = type(awaitable) is CoroutineType

    def __del__(self) -> None:
        # Other awaitable objects may mean something else by `close`.
        if self._is_coroutine:
            self.awaitable.close()


def coroutine_around(
    awaitable: Awaitable[Any],
    function: Callable[..., Awaitable[Any]],
    *arguments: Any,
) -> Any:
    """Calls `function` with an `AwaitedResult` and `arguments`.

    The coroutine has the name of the awaited one, as warnings and asyncio show it.
    """
    coroutine: Any = function(AwaitedResult(awaitable), *arguments)
    if type(awaitable) is CoroutineType:
        coroutine.__name__ = awaitable.__name__
        coroutine.__qualname__ = awaitable.__qualname__
    return coroutine
