"""Wrappers for the methods of DSPy's own engine."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from ._client_call import ClientCall
from ._coerce import fields_of, items_of
from ._suppress import log_suppressed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from ._client_call import RequestWrappers
    from ._client_invocation import ClientInvocation
    from ._sent_request import SentRequest

Json = dict[str, Any]

_END: Final[Any] = object()


def complete(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
    with ClientCall() as call:
        response = wrapped(*args, **kwargs)
        # The body of the response as DeepSeek has sent it.
        call.record(getattr(response, "provider_data", None) or {})
        return response


async def complete_async(
    wrapped: Callable[..., Awaitable[Any]], _: Any, args: Any, kwargs: Any
) -> Any:
    with ClientCall() as call:
        response = await wrapped(*args, **kwargs)
        call.record(getattr(response, "provider_data", None) or {})
        return response


class DspyStreams:
    """Wrappers of the methods that send a request and yield the events of its stream.

    Events are read as chunks of a chat completion, also those of other formats.
    """

    def __init__(
        self, requests: RequestWrappers, sent_request: Callable[[Any], SentRequest]
    ) -> None:
        self._requests = requests
        self._sent_request = sent_request

    def stream(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        events = wrapped(*args, **kwargs)
        request = _http_request(*args, **kwargs)
        return events if request is None else self._record(events, request)

    def stream_async(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        events = wrapped(*args, **kwargs)
        request = _http_request(*args, **kwargs)
        return events if request is None else self._record_async(events, request)

    def _record(
        self, events: Generator[Any, None, None], request: Any
    ) -> Generator[Any, None, None]:
        if (invocation := self._start(request)) is None:
            yield from events
            return
        try:
            while True:
                with invocation:
                    event = next(events, _END)
                if event is _END:
                    invocation.on_stream_end()
                    return
                _report(event, invocation)
                yield event
        finally:
            events.close()
            invocation.on_stream_dropped()

    async def _record_async(
        self, events: AsyncGenerator[Any, None], request: Any
    ) -> AsyncGenerator[Any, None]:
        if (invocation := self._start(request)) is None:
            async with aclosing(events):
                async for event in events:
                    yield event
            return
        try:
            while True:
                with invocation:
                    event = await anext(events, _END)
                if event is _END:
                    invocation.on_stream_end()
                    return
                _report(event, invocation)
                yield event
        finally:
            await events.aclose()
            invocation.on_stream_dropped()

    def _start(self, request: Any) -> ClientInvocation | None:
        try:
            sent_request = self._sent_request(request)
            if (endpoint := self._requests.endpoint_of(sent_request)) is None:
                return None
            invocation = self._requests.start(sent_request, endpoint, "chat")
            if invocation is not None and invocation.has_ended:
                invocation.detach_context()
                return None
            if invocation is not None:
                invocation.on_body_open()
        except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
            log_suppressed("reading a request of a client", error)
            return None
        return invocation


def _http_request(request: object, req: Any = None) -> Any:
    """Returns the second argument of the methods, which has the address."""
    del request
    return req


def _report(event: Any, invocation: ClientInvocation) -> None:
    try:
        chunk = _chunk(event)
    except Exception as error:  # noqa: BLE001  # as above
        log_suppressed("reading an event of a stream", error)
        return
    invocation.on_chunk(chunk)


def _chunk(event: Any) -> Json:
    """Returns an event in the form of a chunk of a chat completion."""
    match event.type:
        case "start":
            return {"id": event.id, "model": event.model}
        case "delta":
            return {"choices": [{"delta": _delta(event.delta)}]}
        case "error":
            error = event.error
            code = error.provider_code or error.code
            return {"error": {"code": code, "message": error.message}}
        case "end":
            return _last_chunk(event)
        case _:
            return {}


def _delta(delta: Any) -> Json:
    match delta.type:
        case "text":
            return {"content": delta.text}
        case "thinking":
            return {"reasoning_content": delta.text}
        case "tool_call":
            function = {"name": delta.name, "arguments": delta.input}
            call = {"index": delta.part_index, "id": delta.id, "function": function}
            return {"tool_calls": [call]}
        case _:
            return {}


def _last_chunk(event: Any) -> Json:
    # A chunk as DeepSeek has sent it. Its delta, if any, has been an event of its own.
    body: Json = event.provider_data or {}
    if "choices" in body:
        choices = [
            {**fields_of(choice), "delta": None} for choice in items_of(body["choices"])
        ]
        return {**body, "choices": choices}
    chunk: Json = {}
    if (finish_reason := event.finish_reason) is not None:
        # The other words of the engine are those of Chat Completions.
        if finish_reason == "tool_call":
            finish_reason = "tool_calls"
        chunk["choices"] = [{"finish_reason": finish_reason}]
    if (usage := event.usage) is not None:
        # Another format than chat completions, in which input has no cached tokens.
        cached = usage.cache_read_tokens or 0
        written = getattr(usage, "cache_write_tokens", None) or 0
        chunk["usage"] = {
            "prompt_tokens": (usage.input_tokens or 0) + cached + written,
            "completion_tokens": usage.output_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        }
    return chunk
