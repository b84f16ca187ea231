"""A call of a client library that finds out late where it goes.

litellm and DSPy's engine decide on the host of a call, and send it again, below the
function that the application calls: by prefixes, aliases, environment variables and
secrets. So two places are wrapped. The function that is called opens a `ClientCall` and
records its result. The method that sends a request starts the span of that call, with
the first request to DeepSeek.

A call that a cache or a mock answers sends no request, and has no span. A call to
another provider has none either. A retry is one more request of the same call.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._awaited_result import coroutine_around
from ._client_invocation import ClientInvocation
from ._endpoint import is_deepseek_model
from ._operations import OPERATIONS, operation_of_address
from ._request_invocation import start_request_invocation
from ._suppress import log_suppressed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

    from ._awaited_result import AwaitedResult
    from ._endpoint import DeepSeekHosts, Endpoint
    from ._operations import Operation
    from ._sent_request import SentRequest
    from ._signals import Signals

_current_call: Final[ContextVar[ClientCall | None]] = ContextVar(
    "deepseek_client_call", default=None
)


class ReceivedResponse(NamedTuple):
    """The response to a request; `headers` has names in lower case.

    `read_body` returns the fields of a body that is in memory, or None.
    """

    headers: Mapping[str, Any]
    status: int
    read_body: Callable[[], Any]


class ClientCall:
    """One call of a function of a client, as a context manager.

    `response_format` is the name of the operation that reads its result; None means
    that of the API to which the request goes.
    """

    __slots__ = ("_token", "invocation", "is_running", "response_format")

    _token: Token[ClientCall | None]

    def __init__(self, response_format: str | None = None) -> None:
        self.response_format = response_format
        self.invocation: ClientInvocation | None = None
        self.is_running = True

    def __enter__(self) -> Self:
        self._token = _current_call.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The context is another one if a suspended coroutine is closed elsewhere.
        with suppress(ValueError):
            _current_call.reset(self._token)
        # Tasks that the call has started may go on in a copy of its context.
        self.is_running = False
        if self.invocation is not None:
            self.invocation.__exit__(kind, error, traceback)

    def end_failed_request(self) -> None:
        """Ends the span before a fallback to another provider, which has none."""
        invocation = self.invocation
        if invocation is not None and invocation.request_error is not None:
            invocation.fail(invocation.request_error)
            self.invocation = None

    def end_answered_request(self) -> bool:
        """Ends the span before another call within this one; False if it has no answer.

        litellm may run a tool of the model itself, and call the model again.
        """
        if self.invocation is None or not self.invocation.end_with_answer():
            return False
        self.invocation = None
        return True

    def record(self, result: Any) -> Any:
        """Returns what the application gets instead of `result`."""
        return result if self.invocation is None else self.invocation.record(result)


def current_call() -> ClientCall | None:
    call = _current_call.get()
    return call if call is not None and call.is_running else None


def call(
    response_format: str | None,
    wrapped: Callable[..., Any],
    _: Any,
    args: Any,
    kwargs: Any,
) -> Any:
    """Calls a function of a client; a wrapper for wrapt after the first argument."""
    if _is_retry():
        return wrapped(*args, **kwargs)
    outer = current_call()
    with ClientCall(response_format) as client_call:
        result = wrapped(*args, **kwargs)
        if not inspect.iscoroutine(result):
            return client_call.record(result)
    # The asynchronous functions of litellm call the synchronous ones in a thread, and
    # await what they return.
    if outer is not None:
        return result
    return coroutine_around(result, _record_awaited, response_format)


def call_async(
    response_format: str | None,
    wrapped: Callable[..., Any],
    _: Any,
    args: Any,
    kwargs: Any,
) -> Any:
    """Calls an asynchronous function, as `call`."""
    # Called before the first await, as in the library.
    result = wrapped(*args, **kwargs)
    if _is_retry():
        return result
    return coroutine_around(result, _record_awaited, response_format)


async def _record_awaited(result: AwaitedResult, response_format: str | None) -> Any:
    with ClientCall(response_format) as client_call:
        return client_call.record(await result.awaitable)


def _is_retry() -> bool:
    """Whether a function is called within a call whose request has had no answer.

    If that request has had one, its span ends here.
    """
    outer = current_call()
    return (
        outer is not None
        and outer.invocation is not None
        and not outer.end_answered_request()
    )


class RequestWrappers:
    """Wrappers of the methods with which a client sends requests.

    `sent_request` reads the instance and the arguments of such a method, and
    `received_response` its result.
    """

    def __init__(
        self,
        hosts: DeepSeekHosts,
        signals: Signals,
        sent_request: Callable[[Any, Any, Any], SentRequest],
        received_response: Callable[[Any], ReceivedResponse],
    ) -> None:
        self._hosts = hosts
        self._signals = signals
        self._sent_request = sent_request
        self._received_response = received_response

    def send(
        self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any
    ) -> Any:
        invocation = self._invocation_of_request(instance, args, kwargs)
        if invocation is None:
            return wrapped(*args, **kwargs)
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            invocation.on_failed_request(error)
            raise
        finally:
            invocation.detach_context()
        self._report(response, invocation)
        return response

    async def send_async(
        self,
        wrapped: Callable[..., Awaitable[Any]],
        instance: Any,
        args: Any,
        kwargs: Any,
    ) -> Any:
        invocation = self._invocation_of_request(instance, args, kwargs)
        if invocation is None:
            return await wrapped(*args, **kwargs)
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as error:
            invocation.on_failed_request(error)
            raise
        finally:
            invocation.detach_context()
        self._report(response, invocation)
        return response

    def _report(self, response: Any, invocation: ClientInvocation) -> None:
        try:
            headers, status, read_body = self._received_response(response)
            invocation.on_http_response(headers, status, read_body)
        except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
            log_suppressed("reading the head of a response", error)

    def _invocation_of_request(
        self, instance: Any, args: Any, kwargs: Any
    ) -> ClientInvocation | None:
        """Returns the invocation of the current call, with its span as the current one.

        Returns None if the request is not recorded.
        """
        if (client_call := current_call()) is None:
            return None
        try:
            request = self._sent_request(instance, args, kwargs)
            if (endpoint := self.endpoint_of(request)) is None:
                if operation_of_address(request.address) is not None:
                    client_call.end_failed_request()
                return None
            if (invocation := client_call.invocation) is None:
                invocation = self.start(request, endpoint, client_call.response_format)
                client_call.invocation = invocation
            if invocation is not None:
                invocation.attach_context()
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading a request of a client", error)
            return None
        return invocation

    def endpoint_of(self, request: SentRequest) -> Endpoint | None:
        endpoint = self._hosts.endpoint_of_address(request.address)
        if endpoint is None and is_deepseek_model(request.model):
            self._hosts.log_other_address(request.address)
        return endpoint

    def start(
        self, request: SentRequest, endpoint: Endpoint, response_format: str | None
    ) -> ClientInvocation | None:
        operation = _operation(request.address, response_format)
        if operation is None:
            return None
        return start_request_invocation(
            ClientInvocation, self._signals, operation, endpoint, request
        )


def _operation(address: str, response_format: str | None) -> Operation | None:
    operation = operation_of_address(address)
    if operation is None or response_format is None:
        return operation
    accumulator = OPERATIONS[response_format].accumulator
    return operation._replace(accumulator=accumulator)
