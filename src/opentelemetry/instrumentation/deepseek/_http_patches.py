"""The methods of HTTP clients that are patched, and their wrappers.

They record the requests of programs that call DeepSeek without a client library, and of
client libraries that no other module of this package knows. A request of a call that is
already recorded has no span of its own.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from ._http_libraries import AIOHTTP, HTTPX, REQUESTS
from ._patch import Patch
from ._suppress import log_suppressed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from types import ModuleType

    from ._endpoint import DeepSeekHosts
    from ._http_invocation import HttpInvocation
    from ._http_libraries import HttpLibrary
    from ._signals import Signals

_AIOHTTP_MODULE: Final = "aiohttp.client"
_REQUESTS_MODULE: Final = "requests.sessions"
# httpx2 is a continuation of httpx, with the same methods.
_HTTPX_MODULES: Final = frozenset({"httpx", "httpx2"})
MODULES: Final = _HTTPX_MODULES | {_AIOHTTP_MODULE, _REQUESTS_MODULE}


def patches_of(
    module: ModuleType, hosts: DeepSeekHosts, signals: Callable[[], Signals]
) -> Iterator[Patch]:
    """Yields the patches of an imported module of MODULES."""
    if module.__name__ == _AIOHTTP_MODULE:
        # The public methods return a context manager around this coroutine, which would
        # have to be replaced; tests/http_clients checks it.
        wrapper = _HttpWrappers(hosts, signals, AIOHTTP).send_async
        yield Patch(module.ClientSession, "_request", wrapper)
    elif module.__name__ == _REQUESTS_MODULE:
        make_method = _HttpWrappers(hosts, signals, REQUESTS).make_method
        yield Patch(module.Session, "send", make_method=make_method)
    else:
        wrappers = _HttpWrappers(hosts, signals, HTTPX)
        yield Patch(module.Client, "send", make_method=wrappers.make_method)
        yield Patch(module.AsyncClient, "send", wrappers.send_async)


class _HttpWrappers:
    """Wrappers of the method with which a client sends a request."""

    def __init__(
        self,
        hosts: DeepSeekHosts,
        signals: Callable[[], Signals],
        library: HttpLibrary,
    ) -> None:
        self._hosts = hosts
        self._signals = signals
        self._library = library

    def make_method(self, original: Any, active: Sequence[bool]) -> Any:
        """Returns a method in place of a synchronous one.

        It is a plain function: wrapt would take as long as a request to another host
        may take, and it is there for the methods that have to look asynchronous.
        """
        includes, post_host = self._hosts.includes, self._library.post_host

        @wraps(original)
        def send(client: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                is_included = active and includes(post_host(client, args, kwargs))
            except Exception:  # noqa: BLE001  # the library raises it for such arguments
                is_included = False
            if not is_included or self._is_inside_recorded_call():
                return original(client, *args, **kwargs)
            if (invocation := self._start(client, args, kwargs)) is None:
                return original(client, *args, **kwargs)
            with invocation:
                response = original(client, *args, **kwargs)
                self._record(invocation, response, client, kwargs)
            return response

        return send

    def send_async(
        self,
        wrapped: Callable[..., Awaitable[Any]],
        client: Any,
        args: Any,
        kwargs: Any,
    ) -> Awaitable[Any]:
        try:
            host = self._library.post_host(client, args, kwargs)
        except Exception:  # noqa: BLE001  # as above
            host = None
        if not self._hosts.includes(host) or self._is_inside_recorded_call():
            return wrapped(*args, **kwargs)
        return self._await_and_record(wrapped, client, args, kwargs)

    async def _await_and_record(
        self,
        wrapped: Callable[..., Awaitable[Any]],
        client: Any,
        args: Any,
        kwargs: Any,
    ) -> Any:
        if (invocation := self._start(client, args, kwargs)) is None:
            return await wrapped(*args, **kwargs)
        with invocation:
            response = await wrapped(*args, **kwargs)
            self._record(invocation, response, client, kwargs)
        return response

    def _is_inside_recorded_call(self) -> bool:
        try:
            # Imported here because the GenAI library takes a fifth of a second to
            # import, and most programs that import an HTTP client send no such request.
            from ._telemetry import is_inside_recorded_call

            return is_inside_recorded_call()
        except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
            log_suppressed("importing the GenAI library", error)
            return True

    def _start(self, client: Any, args: Any, kwargs: Any) -> HttpInvocation | None:
        try:
            from ._http_invocation import start_http_invocation

            request = self._library.sent_request(client, args, kwargs)
            return start_http_invocation(self._hosts, self._signals, request)
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading a request of an HTTP client", error)
            return None

    def _record(
        self, invocation: HttpInvocation, response: Any, client: Any, kwargs: Any
    ) -> None:
        if invocation.has_ended:
            return
        try:
            self._library.record_response(invocation, response, client, kwargs)
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading a response of an HTTP client", error)
            invocation.end()
