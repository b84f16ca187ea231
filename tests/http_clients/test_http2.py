"""Requests over HTTP/2, to a real server."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from tests.instrumentation.attributes import THINKING, THINKING_STREAM, TRACE_ID
from tests.instrumentation.conftest import CHAT

from .conftest import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.instrumentation.conftest import Telemetry

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = (sys.executable, "-m", "hypercorn", "tests.http_clients.http2_app:app")
    address = f"127.0.0.1:{port}"
    # A process of its own: hypercorn may raise an error when a client disconnects.
    with subprocess.Popen(
        [*command, "--bind", address], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"http://{address}{PATHS['chat']}"
        process.terminate()


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
