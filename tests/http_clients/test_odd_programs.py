"""Programs that read a response in a way of their own, and hooks that read it first."""

from __future__ import annotations

import asyncio
import copy
import gzip
import json
import sys
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
from opentelemetry.trace import SpanKind, StatusCode

from examples.simulator import RecordedResponse
from tests.instrumentation.attributes import THINKING, THINKING_STREAM, TRACE_ID
from tests.instrumentation.conftest import CHAT, sample

from .conftest import PATHS
from .test_requests import STREAM, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

WHOLE = sample("chat_thinking.json")
EVENTS = sample("stream_thinking.sse")
HTTPX_MODULES = pytest.mark.parametrize("module", [httpx, httpx2])


def with_headers(response: RecordedResponse, **headers: str) -> RecordedResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return RecordedResponse(200, {**response.headers, **names}, response.body)


@pytest.fixture
def url(deepseek: Simulator) -> str:
    return deepseek.base_url + PATHS["chat"]


@pytest.mark.parametrize("stream", [False, True])
async def test_aiohttp_content_outlives_its_response(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    stream: bool,
) -> None:
    instrument()
    deepseek.answer_next(EVENTS if stream else WHOLE)

    async with aiohttp.ClientSession() as session:
        body = STREAM if stream else CHAT
        lines = [line async for line in (await session.post(url, json=body)).content]

    assert b"".join(lines) == (EVENTS if stream else WHOLE).body
    assert telemetry.span.attributes == (
        THINKING_STREAM if stream else THINKING | TRACE_ID
    )


async def test_aiohttp_headers_may_be_an_iterator(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(WHOLE)

    async with aiohttp.ClientSession() as session:
        headers: Any = zip(["Authorization"], ["Bearer sk-http-1234"], strict=True)
        await (await session.post(url, json=CHAT, headers=headers)).read()

    (exchange,) = deepseek.exchanges
    assert exchange.request_headers["authorization"] == "Bearer sk-http-1234"
    assert telemetry.span.attributes == THINKING | TRACE_ID


async def test_aiohttp_middleware_may_read_the_body(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(WHOLE)

    async def log(request: Any, handler: Any) -> Any:
        response = await handler(request)
        await response.read()
        return response

    async with aiohttp.ClientSession(middlewares=[log]) as session:
        await (await session.post(url, json=CHAT)).read()

    assert telemetry.span.attributes == THINKING | TRACE_ID


async def test_aiohttp_body_may_stay_encoded(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(encoded(EVENTS, "gzip"))

    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(url, json=STREAM) as response,
    ):
        assert gzip.decompress(await response.read()) == EVENTS.body

    assert telemetry.span.attributes == THINKING_STREAM


async def test_aiohttp_error_hides_parameters_and_authentication(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    headers = {"authorization": "Basic dXNlcjpodW50ZXIycHc="}
    message = f"no route for team-secret, {headers['authorization']}"
    body = json.dumps({"error": {"message": message}}).encode()
    deepseek.answer_next(
        RecordedResponse(503, {"content-type": "application/json"}, body)
    )

    async with aiohttp.ClientSession(headers=headers) as session:
        params = {"team": "team-secret"}
        await (await session.post(url, json=CHAT, params=params)).read()

    assert telemetry.span.status.description == "no route for [redacted], [redacted]"


async def test_aiohttp_readexactly_beyond_the_end_has_the_whole_body(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(WHOLE)

    async with aiohttp.ClientSession() as session:
        response = await session.post(url, json=CHAT)
        with pytest.raises(asyncio.IncompleteReadError):
            await response.content.readexactly(10**6)

    assert telemetry.span.attributes == THINKING | TRACE_ID


def test_hook_of_requests_may_read_the_body(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(WHOLE)

    hooks = {"response": lambda response, **_: response.content and None}
    response = requests.post(url, json=CHAT, stream=True, hooks=hooks)

    assert response.json()["choices"]
    assert telemetry.span.attributes == THINKING | TRACE_ID


@HTTPX_MODULES
def test_hook_of_httpx_may_close_the_response(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(EVENTS)

    hooks = {"response": [lambda response: response.close()]}
    with (
        module.Client(verify=False, event_hooks=hooks) as client,
        client.stream("POST", url, json=STREAM) as response,
    ):
        assert response.is_closed

    assert telemetry.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("content_type", ["text/plain", "Text/Event-Stream", ""])
def test_event_stream_is_found_without_its_content_type(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content_type: str,
) -> None:
    instrument()
    deepseek.answer_next(with_headers(EVENTS, content_type=content_type))

    call(STREAM, "lines")

    assert telemetry.span.attributes == THINKING_STREAM


@HTTPX_MODULES
def test_deflate_without_the_header_of_zlib_is_read(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    module: Any,
) -> None:
    instrument()
    compress = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = compress.compress(EVENTS.body) + compress.flush()
    headers = {**EVENTS.headers, "content-encoding": "deflate"}
    deepseek.answer_next(RecordedResponse(200, headers, body))

    with module.stream("POST", url, json=STREAM, verify=False) as response:
        assert b"".join(response.iter_raw()) == body

    assert telemetry.span.attributes == THINKING_STREAM


@pytest.mark.internal_error
def test_unknown_encoding_is_logged_once(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instrument()
    deepseek.answer_next(with_headers(EVENTS, content_encoding="br"), times=2)

    for _ in range(2):
        with httpx.stream("POST", url, json=STREAM, verify=False) as response:
            assert b"".join(response.iter_raw()) == EVENTS.body

    (message,) = caplog.messages
    assert "decoding bytes of a body failed" in message
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}


@HTTPX_MODULES
def test_copy_of_an_open_response_does_not_end_its_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(EVENTS)

    with module.stream("POST", url, json=STREAM, verify=False) as response:
        duplicate = copy.copy(response)
        assert type(duplicate) is module.Response
        assert "_deepseek_recorder" not in vars(duplicate)
        response.read()

    assert telemetry.span.attributes == THINKING_STREAM
    assert "_deepseek_recorder" not in vars(response)


@HTTPX_MODULES
def test_part_of_a_whole_body_is_no_error(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(WHOLE, times=2)

    with module.stream("POST", url, json=CHAT, verify=False) as response:
        next(response.iter_bytes())  # all of it, but the end is not read
    with module.stream("POST", url, json=CHAT, verify=False):
        pass

    read, unread = telemetry.spans
    assert read.attributes == THINKING | TRACE_ID
    assert unread.status.status_code is StatusCode.UNSET


def test_failed_try_leaves_no_error_on_the_span_of_a_client_library(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
) -> None:
    instrument()
    deepseek.fail_next("503")
    deepseek.answer_next(WHOLE)
    own = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "deepseek"}
    headers = {"authorization": "Bearer sk-http-1234"}

    tracer = telemetry.tracer_provider.get_tracer("client")
    with tracer.start_as_current_span("call", kind=SpanKind.CLIENT, attributes=own):
        assert requests.post(url, json=CHAT, headers=headers).status_code == 503
        requests.post(url, json=CHAT, headers=headers)

    assert telemetry.span.attributes == THINKING | TRACE_ID


@pytest.mark.internal_error
def test_library_that_cannot_be_imported_breaks_no_request(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instrument()
    deepseek.answer_next(WHOLE, times=2)
    package = "opentelemetry.instrumentation.deepseek"
    for name in [n for n in sys.modules if n.startswith(package + "._")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, f"{package}._genai", None)  # type: ignore[arg-type]

    for _ in range(2):
        assert httpx.post(url, json=CHAT, verify=False).status_code == 200

    assert telemetry.spans == []
    (message,) = caplog.messages
    assert "importing the GenAI library failed with ModuleNotFoundError" in message


@HTTPX_MODULES
def test_method_that_is_stored_before_the_end_works_after_it(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(EVENTS)

    with module.stream("POST", url, json=STREAM, verify=False) as response:
        iter_bytes, iter_raw, close = (
            response.iter_bytes,
            response.iter_raw,
            response.close,
        )
        body = response.read()
        assert b"".join(iter_bytes()) == body
        with pytest.raises(module.StreamConsumed):
            next(iter_raw())
        close()

    assert telemetry.span.attributes == THINKING_STREAM


def test_method_of_requests_that_is_stored_before_the_end_works_after_it(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(EVENTS)

    response = requests.post(url, json=STREAM, stream=True)
    iter_content, close = response.iter_content, response.close
    body = response.content
    assert b"".join(iter_content(None)) == body
    close()

    assert telemetry.span.attributes == THINKING_STREAM


async def test_aiohttp_response_that_is_closed_early_ends_its_span(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(EVENTS)

    async with aiohttp.ClientSession() as session:
        response = await session.post(url, json=STREAM)
        while not (await response.content.readline()).startswith(b"data:"):
            pass
        close = response.close
        close()
        close()

    span = telemetry.span
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["gen_ai.response.model"] == "deepseek-flash"


async def test_aiohttp_response_class_without_content_is_left_alone(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    class Response(aiohttp.ClientResponse):
        async def start(self, connection: Any) -> Any:
            await super().start(connection)
            self.content = None
            return self

    instrument()
    deepseek.answer_next(WHOLE)

    async with aiohttp.ClientSession(response_class=Response) as session:
        response = await session.post(url, json=CHAT)
        assert response.content is None
        response.close()

    assert telemetry.span.name == "chat deepseek-flash"


async def test_aiohttp_read_that_is_cancelled_last_is_the_error(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry, url: str
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse", pause=0.2))

    async with aiohttp.ClientSession() as session:
        response = await session.post(url, json=STREAM)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(response.content.read(), 0.1)
        response.release()

    assert telemetry.span.attributes["error.type"] == (
        "asyncio.exceptions.CancelledError"
    )


def test_span_of_a_client_library_that_has_ended_is_left_alone(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    url: str,
) -> None:
    instrument()
    deepseek.answer_next(EVENTS)
    own = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}

    tracer = telemetry.tracer_provider.get_tracer("client")
    with tracer.start_as_current_span("call", kind=SpanKind.CLIENT, attributes=own):
        response = requests.post(url, json=STREAM, stream=True)
    assert b"[DONE]" in response.content

    assert telemetry.span.attributes == own
