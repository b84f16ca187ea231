"""Requests over HTTP/2, to a real server."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.instrumentation.attributes import THINKING, THINKING_STREAM, TRACE_ID
from tests.instrumentation.conftest import CHAT, sample

from .conftest import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.instrumentation.conftest import Telemetry


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with a recorded response: a stream if the request asks for one."""
    if scope["type"] != "http":
        return
    assert scope["http_version"] == "2"
    body = (await receive())["body"]
    response = sample(
        "stream_thinking.sse" if b'"stream"' in body else "chat_thinking.json"
    )
    headers = [
        (name.lower().encode(), value.encode())
        for name, value in response.headers.items()
        if name.lower() not in {"connection", "transfer-encoding"}
    ]
    headers.append((b"x-ds-trace-id", b"0" * 32))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in response.body.splitlines(keepends=True):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    config = Config()
    config.bind = ["127.0.0.1:0"]
    (socket,) = config.create_sockets().insecure_sockets
    port = socket.getsockname()[1]
    config.bind = [f"fd://{socket.detach()}"]
    loop = asyncio.new_event_loop()
    end = asyncio.Event()

    def run() -> None:
        loop.run_until_complete(serve(app, config, shutdown_trigger=end.wait))

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{port}{PATHS['chat']}"
    loop.call_soon_threadsafe(end.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_response_over_http2_is_recorded(
    instrument: Callable[..., None], telemetry: Telemetry, module: Any, url: str
) -> None:
    instrument()

    with module.Client(http1=False, http2=True, verify=False) as client:
        assert client.post(url, json=CHAT).http_version == "HTTP/2"
        with client.stream("POST", url, json={**CHAT, "stream": True}) as response:
            assert "data: [DONE]" in list(response.iter_lines())

    whole, streamed = telemetry.spans
    assert whole.attributes == THINKING | TRACE_ID
    assert streamed.attributes == THINKING_STREAM
