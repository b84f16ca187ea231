"""`python -m examples.simulator`, as a newcomer meets it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.simulator.http_requests import chat

_ROOT = Path(__file__).parents[2]
# -I and -S leave the standard library and nothing else.
_BARE = """
import runpy, sys
sys.path.insert(0, ".")
runpy.run_module("examples.simulator", run_name="__main__", alter_sys=True)
"""


def _command(*arguments):
    return [sys.executable, "-I", "-S", "-W", "error", "-c", _BARE, *arguments]


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
            first = process.stdout.readline()
            yield re.search(r"http://\S+", first).group(), process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def test_it_serves_with_nothing_installed_and_ends_in_silence():
    with _running() as (url, process):
        assert chat(url).json["choices"][0]["message"]["content"]
        assert chat(url, stream=True).body.endswith(b"[DONE]\n\n")
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(10) == 0
    assert f'base_url="{url}", api_key="any"' in rest
    assert "POST" not in rest
    assert "Traceback" not in rest


def test_the_example_it_prints_is_a_program_that_runs():
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


def test_verbose_is_a_line_for_each_request():
    with _running("--verbose", "--fault", "503 times=1") as (url, process):
        chat(url)
        chat(url, max_tokens=5)
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    lines = re.findall(r"^\d\d:\d\d:\d\d (.*)$", said, re.MULTILINE)
    assert lines == [
        "POST /chat/completions 503 [503 times=1]",
        "POST /chat/completions 200 84 tokens (0 cached) -> 5",
    ]


def test_help_says_what_it_is_and_how_to_use_it():
    result = _run("--help")
    assert result.returncode == 0
    for word in ("api.deepseek.com", "OPENAI_BASE_URL", "x-simulator-fault", "slow="):
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 88


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--fault", "418"],
            "argument --fault: '418' is not a fault; --help lists them",
        ),
        (["--pace", "-1"], "argument --pace: '-1' is no number of seconds"),
        (["--pace", "x"], "argument --pace: 'x' is no number of seconds"),
    ],
)
def test_a_wrong_option_is_named(arguments, words):
    result = _run(*arguments)
    assert result.returncode == 2
    assert words in result.stderr


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = _run("--port", port)
    assert result.returncode == 1
    assert result.stderr == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "another --port may be free; --port 0 takes one\n"
    )
