"""Servers and their workers that end by a signal before the batch is exported."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from examples.quickstart._agent_run import opentelemetry_instrument

from .telemetry import ModelCall, assert_complete

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

# An ASGI and a WSGI application with the calls of the default tests.
APPLICATIONS = Path(__file__).parents[1] / "exit_flush" / "programs"

UVICORN = ("uvicorn", "asgi:app", "--port", "{port}")
HYPERCORN = ("hypercorn", "asgi:app", "--bind", "127.0.0.1:{port}")
GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2")
UVICORN_WORKERS = ("--worker-class", "uvicorn_worker.UvicornWorker", "asgi:app")

CALL_COUNT = 6


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        with process, suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def request(url: str) -> None:
    """Waits for the server."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(URLError, ConnectionError), urlopen(url):
            return
        time.sleep(0.1)
    pytest.fail(f"no response from {url}")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param(UVICORN, -signal.SIGTERM, id="uvicorn"),
        pytest.param((*UVICORN, "--workers", "2"), 0, id="uvicorn with workers"),
        pytest.param((*UVICORN, "--reload"), 0, id="uvicorn that reloads"),
        pytest.param(HYPERCORN, 0, id="hypercorn"),
        pytest.param((*HYPERCORN, "--workers", "2"), 0, id="hypercorn with workers"),
        pytest.param((*GUNICORN, *UVICORN_WORKERS), 0, id="gunicorn with uvicorn"),
        pytest.param(
            (*GUNICORN, "--preload", *UVICORN_WORKERS),
            0,
            id="gunicorn with uvicorn, preloaded",
        ),
        pytest.param((*GUNICORN, "wsgi:app"), 0, id="gunicorn"),
        pytest.param(
            (*GUNICORN, "--threads", "2", "wsgi:app"), 0, id="gunicorn with threads"
        ),
    ],
)
def test_all_calls_arrive_after_sigterm(
    environment, telemetry, processes, command, status
):
    port = free_port()
    environment |= {
        "OPENAI_API_KEY": environment["DEEPSEEK_API_KEY"],
        "OPENAI_BASE_URL": environment["DEEPSEEK_BASE_URL"],
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
    }
    process = subprocess.Popen(
        [
            opentelemetry_instrument(),
            sys.executable,
            "-m",
            *(argument.format(port=port) for argument in command),
        ],
        cwd=APPLICATIONS,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    processes.append(process)
    for number in range(CALL_COUNT):
        request(f"http://127.0.0.1:{port}/{number}")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == status
    assert telemetry.model_calls == [ModelCall("chat deepseek-flash")] * CALL_COUNT
    assert_complete(telemetry)
