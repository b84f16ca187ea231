"""The command line: `python -m examples.simulator`."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.simulator.http_requests import send_chat

_ROOT = Path(__file__).parents[2]
# The options -I and -S leave only the standard library.
_PROGRAM = """
import runpy, sys
sys.path.insert(0, ".")
runpy.run_module("examples.simulator", run_name="__main__", alter_sys=True)
"""


def _command(*arguments):
    return [sys.executable, "-I", "-S", "-W", "error", "-c", _PROGRAM, *arguments]


def _run(*arguments):
    return subprocess.run(
        _command(*arguments),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@contextmanager
def _running(*arguments):
    process = subprocess.Popen(
        _command("--port", "0", "--pace", "0", *arguments),
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            first_line = process.stdout.readline()
            yield re.search(r"http://\S+", first_line).group(), process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def test_serves_without_dependencies_and_stops_silently():
    with _running() as (url, process):
        assert send_chat(url).json["choices"][0]["message"]["content"]
        assert send_chat(url, stream=True).body.endswith(b"[DONE]\n\n")
        process.send_signal(signal.SIGINT)
        remaining_output = process.stdout.read()
        assert process.wait(10) == 0
    assert f'base_url="{url}", api_key="any"' in remaining_output
    address = url.removeprefix("http://")
    assert f"OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS={address}" in remaining_output
    assert "POST" not in remaining_output
    assert "Traceback" not in remaining_output


def test_printed_example_is_a_working_program():
    with _running("--api-key", "sk-mine") as (url, process):
        lines = [process.stdout.readline() for _ in range(5)]
        program = "".join(line.removeprefix("  ") for line in lines)
        result = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert "**3** r" in result.stdout
    assert url in program


def test_verbose_prints_a_line_for_each_request():
    with _running("--verbose", "--fault", "503 times=1") as (url, process):
        send_chat(url)
        send_chat(url, max_tokens=5)
        send_chat(url, path="/anthropic/v1/messages", max_tokens=5)
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
    lines = re.findall(r"^\d\d:\d\d:\d\d (.*)$", output, re.MULTILINE)
    assert lines == [
        "POST /chat/completions 503 [503 times=1]",
        "POST /chat/completions 200 84 tokens (0 cached) -> 5",
        "POST /anthropic/v1/messages 200 84 tokens (64 cached) -> 5",
    ]


def test_help_describes_purpose_and_usage():
    result = _run("--help")
    assert result.returncode == 0
    for text in (
        "api.deepseek.com",
        "OPENAI_BASE_URL",
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS=127.0.0.1:8123",
        "x-simulator-fault",
        "slow=",
    ):
        assert text in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 88


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--fault", "418"],
            "argument --fault: '418' is not a fault; see --help",
        ),
        (
            ["--pace", "-1"],
            "argument --pace: must be a number of seconds, 0 or greater; got '-1'",
        ),
        (
            ["--pace", "x"],
            "argument --pace: must be a number of seconds, 0 or greater; got 'x'",
        ),
    ],
)
def test_invalid_option_value_is_named(arguments, message):
    result = _run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_port_in_use_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = _run("--port", port)
    assert result.returncode == 1
    assert result.stderr == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
        "Choose another --port; --port 0 takes a free one.\n"
    )
