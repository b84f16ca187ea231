"""Errors of a request: statuses, connections, cancellations and unread bodies."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import requests
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse
from tests.instrumentation.attributes import START, TRACE_ID
from tests.instrumentation.conftest import CHAT, sample

from .clients import CLIENTS
from .conftest import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

STREAM = {**CHAT, "stream": True}
KEY = "sk-http-1234"
FAILED = START | {
    "error.type": "401",
    "http.response.status_code": 401,
    "gen_ai.response.finish_reasons": ("error",),
}


@pytest.mark.parametrize("read", [None, "read"])
def test_status_of_an_error_is_the_error_of_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    read: str | None,
) -> None:
    instrument()
    deepseek.fail_next("401")

    status, _ = call(read=read)

    span = telemetry.span
    assert status == 401
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description.startswith("Authentication Fails")
    assert KEY[-4:] not in span.status.description
    assert span.attributes == FAILED | TRACE_ID


def test_status_counts_even_if_the_body_is_not_read(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.fail_next("401")

    async def read_nothing(_: Any) -> None: ...

    is_async = client.endswith(("async", "aiohttp"))
    call(read=read_nothing if is_async else lambda response: response.headers)

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes == FAILED | TRACE_ID


def test_refused_connection_raises_the_same_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client: str,
    telemetry: Telemetry,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}{PATHS['chat']}?key=topsecret"

    def error() -> BaseException:
        with pytest.raises(CLIENTS[client].errors) as info:
            call(url=url)
        return info.value

    expected = error()
    instrument()
    actual = error()

    assert type(actual) is type(expected)
    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description
    assert "topsecret" not in span.status.description
    assert span.attributes["error.type"].endswith(type(actual).__name__)


@pytest.mark.parametrize("fault", ["drop after=2", "cut after=2"])
def test_broken_stream_is_an_error_and_looks_the_same(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    fault: str,
) -> None:
    deepseek.fail_next(fault, times=2)

    def outcome() -> Any:
        try:
            return call(STREAM, "lines")
        except Exception as error:  # noqa: BLE001  # every type is compared
            return type(error)

    expected = outcome()
    instrument()
    actual = outcome()

    assert actual == expected if isinstance(expected, type) else actual[0] == 200
    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["gen_ai.response.id"]
    if fault.startswith("cut"):
        assert span.attributes["error.type"] == "stream_cut"


def test_raise_for_status_while_sending_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.fail_next("429")

    async def raise_for_status(response: Any) -> None:
        response.raise_for_status()

    options: dict[str, Any] = {
        "httpx": {"event_hooks": {"response": [httpx.Response.raise_for_status]}},
        "httpx2": {
            "event_hooks": {"response": [lambda response: response.raise_for_status()]}
        },
        "httpx-async": {"event_hooks": {"response": [raise_for_status]}},
        "httpx2-async": {"event_hooks": {"response": [raise_for_status]}},
        "requests": {"hooks": {"response": [lambda r, **_: r.raise_for_status()]}},
        "aiohttp": {"raise_for_status": True},
    }
    with pytest.raises(CLIENTS[client].errors):
        call(client=options[client])

    span = telemetry.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "429"
    assert span.attributes["http.response.status_code"] == 429


def test_dropped_response_ends_its_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"), times=2)
    url = deepseek.base_url + PATHS["chat"]

    def read_one_line_of_requests() -> None:
        lines = requests.post(url, json=STREAM, stream=True).iter_lines()
        next(line for line in lines if line.startswith(b"data:"))

    def read_one_piece_of_httpx() -> None:
        with httpx.Client(verify=False) as client:
            request = client.build_request("POST", url, json=STREAM)
            pieces = client.send(request, stream=True).iter_bytes()
            next(piece for piece in pieces if b"data:" in piece)

    read_one_line_of_requests()
    read_one_piece_of_httpx()
    gc.collect()

    assert [span.status.status_code for span in telemetry.spans] == [
        StatusCode.UNSET,
        StatusCode.UNSET,
    ]


def test_unread_response_is_an_abandoned_stream(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    requests.post(deepseek.base_url + PATHS["chat"], json=STREAM, stream=True)
    gc.collect()

    assert telemetry.span.attributes["error.type"] == "stream_abandoned"


@pytest.mark.parametrize(
    "client", ["httpx-async", "httpx2-async", "aiohttp"], indirect=True
)
def test_cancelled_tasks_end_their_spans_with_an_error(
    instrument: Callable[..., None],
    client: str,
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse", pause=0.02), times=1000)
    url = deepseek.base_url + PATHS["chat"]

    async def run() -> None:
        limit = asyncio.Semaphore(50)

        async def call_once(number: int) -> None:
            async with limit:
                task = asyncio.create_task(CLIENTS[client].post(url, STREAM, "lines"))
                if number % 3 == 0:
                    await asyncio.sleep(0.1)
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(*(call_once(number) for number in range(150)))

    asyncio.run(run())
    gc.collect()

    spans = telemetry.spans
    cancelled = [s for s in spans if s.status.status_code is StatusCode.ERROR]
    assert len(spans) == 150
    assert len(cancelled) == 50
    assert {s.attributes["error.type"] for s in cancelled} == {
        "asyncio.exceptions.CancelledError"
    }


async def test_stream_of_aiohttp_goes_on_after_the_timeout_of_one_read(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse", pause=0.02))

    lines: list[Any] = []
    async with (
        aiohttp.ClientSession() as session,
        session.post(deepseek.base_url + PATHS["chat"], json=STREAM) as response,
    ):
        while not response.content.at_eof():
            reading = asyncio.wait_for(response.content.readline(), 0.005)
            lines += await asyncio.gather(reading, return_exceptions=True)

    timeouts = [line for line in lines if isinstance(line, asyncio.TimeoutError)]
    assert timeouts
    assert b"data: [DONE]\n" in lines
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert telemetry.span.attributes["gen_ai.usage.output_tokens"]


def test_error_of_a_gateway_that_quotes_secrets_is_redacted(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    message = "no route for team-secret with gateway-token"
    body = json.dumps({"error": {"message": message}}).encode()
    headers = {"content-type": "application/json"}
    deepseek.answer_next(RecordedResponse(503, headers, body))

    call(
        url=f"{deepseek.base_url}{PATHS['chat']}?team=team-secret",
        headers={"authorization": "Bearer gateway-token"},
    )

    assert telemetry.span.status.description == (
        "no route for [redacted] with [redacted]"
    )
