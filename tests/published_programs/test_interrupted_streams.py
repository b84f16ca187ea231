"""Streams whose reader leaves before their end."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from dirty_equals import FunctionCheck, IsStr

from examples.quickstart._agent_run import opentelemetry_instrument

from .answers import SKY
from .conftest import PROGRAMS
from .telemetry import ModelCall, conversation, outline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

# The answer up to a word, without its end.
BEGINNING = IsStr(regex="Air.*") & FunctionCheck(SKY.startswith) & ~IsStr(regex=SKY)


@pytest.fixture
def pace() -> float:
    """The longest answer takes six seconds."""
    return 0.2


@contextmanager
def web_server(environment: dict[str, str]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    program = PROGRAMS / "fastapi_stream.py"
    with subprocess.Popen(
        [opentelemetry_instrument(), sys.executable, program],
        env=environment | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for_port(process, port)
            yield port
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, output, errors) == (0, "", "")


def wait_for_port(process, port):
    while process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(process.stderr.read())


def request(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    return connection


def test_a_stream_that_a_web_client_leaves_is_one_call(environment, telemetry):
    with web_server(environment) as port:
        with closing(
            request(port, "GET", "/answer?question=Why+is+the+sky+blue%3F")
        ) as connection:
            response = connection.getresponse()
            assert response.read(3) == b"Air"
            response.close()
        with closing(request(port, "POST", "/stop")) as connection:
            assert connection.getresponse().status == 200
    assert telemetry.model_calls == [
        ModelCall(
            "chat deepseek-flash",
            parent="GET /answer",
            status="ERROR",
            error_type="asyncio.exceptions.CancelledError",
        )
    ]
    assert telemetry.mlflow_spans == telemetry.otlp_spans
    trace, _stop = telemetry.traces
    # FastAPI has its own span for the request, whose connection is lost.
    assert conversation(trace) == (
        "ERROR",
        "Why is the sky blue?",
        BEGINNING,
    )
    assert outline(trace)[0] == (0, "CHAIN", "GET /answer")
    assert (1, "CHAT_MODEL", "chat deepseek-flash") in outline(trace)


@pytest.fixture
def kernel_specs(tmp_path) -> Path:
    """A folder with a kernel that runs under `opentelemetry-instrument`."""
    folder = tmp_path / "kernels" / "opentelemetry"
    folder.mkdir(parents=True)
    ipykernel = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    spec = {
        "argv": [opentelemetry_instrument(), *ipykernel],
        "display_name": "Python with OpenTelemetry",
        "language": "python",
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    return tmp_path


def test_a_cell_that_is_interrupted_is_one_call(environment, telemetry, kernel_specs):
    process = subprocess.run(
        [sys.executable, PROGRAMS / "notebook_interrupt.py"],
        env=environment | {"JUPYTER_PATH": str(kernel_specs)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [
        "Air … KeyboardInterrupt",
        "The capital of France is Paris.",
        "ok",
    ]
    assert "Traceback" not in process.stderr
    assert "opentelemetry." not in process.stderr
    assert telemetry.model_calls == [
        ModelCall(
            "chat deepseek-flash", status="ERROR", error_type="KeyboardInterrupt"
        ),
        ModelCall("chat deepseek-flash"),
    ]
    assert telemetry.mlflow_spans == telemetry.otlp_spans
    assert telemetry.tokens == [(None, None), telemetry.billed_tokens[1]]
    assert [conversation(trace) for trace in telemetry.traces] == [
        ("ERROR", "Why is the sky blue?", BEGINNING),
        ("OK", "What is the capital of France?", "The capital of France is Paris."),
    ]
    assert [outline(trace) for trace in telemetry.traces] == [
        [(0, "CHAT_MODEL", "chat deepseek-flash")]
    ] * 2
