"""Programs that end by a signal."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from .conftest import SCRIPTS, at_most, end

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGHUP"), reason="Windows has other signals"
)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_signal_without_handler_is_a_flush_and_the_same_status(programs, signum):
    process = programs.start("wait.py")
    with at_most(6):
        assert end(process, signum) == -signum
    assert process.stderr.read() == ""
    assert programs.span_names == ["first"]


def test_trace_meter_and_logger_provider_are_flushed(programs):
    process = programs.start(
        "wait.py",
        "from opentelemetry import _logs, metrics\n"
        "metrics.get_meter('test').create_counter('count').add(1)\n"
        "_logs.get_logger('test').emit(_logs.LogRecord(body='message'))\n",
        OTEL_LOGS_EXPORTER="otlp",
        OTEL_METRICS_EXPORTER="otlp",
    )
    assert end(process, signal.SIGTERM) == -signal.SIGTERM
    assert programs.span_names == ["first"]
    assert [metric.name for metric in programs.otlp.metrics] == ["count"]
    assert [record.body for record in programs.otlp.logs] == ["message"]


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        pytest.param("sys.exit(3)", 3, id="exit"),
        pytest.param(
            "signal.signal(15, signal.SIG_DFL); signal.raise_signal(15)",
            -15,
            id="default action, raised again",
        ),
        pytest.param(
            "signal.signal(15, signal.SIG_DFL); os.kill(os.getpid(), 15)",
            -15,
            id="default action, sent again",
        ),
        pytest.param(
            "signal.signal(15, previous); signal.raise_signal(15)",
            -15,
            id="previous handler, raised again",
        ),
        pytest.param(
            "signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)",
            -2,
            id="SIGINT, sent",
        ),
        pytest.param(
            "signal.signal(2, signal.SIG_DFL); signal.raise_signal(2)",
            -2,
            id="SIGINT, raised",
        ),
    ],
)
def test_handler_of_the_application_decides(programs, handler, status):
    """The handler was installed after that of this library."""
    process = programs.start(
        "wait.py",
        "import os, signal\n"
        "def handle(*_):\n"
        "    work('handler')\n"
        f"    {handler}\n"
        "previous = signal.signal(15, handle)\n"
        "assert previous is signal.SIG_DFL\n",
    )
    assert end(process, signal.SIGTERM) == status
    assert process.stderr.read() == ""
    assert programs.span_names == ["first", "handler"]


def test_program_that_calls_a_previous_handler_continues(programs):
    """Without this library there is no previous handler to call."""
    process = programs.start(
        "wait.py",
        "import signal\n"
        "def handle(*_):\n"
        "    callable(previous) and previous(15, None)\n"
        "    sys.exit(7)\n"
        "previous = signal.getsignal(15)\n"
        "signal.signal(15, handle)\n",
    )
    assert end(process, signal.SIGTERM) == 7
    assert programs.span_names == ["first"]


def test_handler_that_was_installed_before_stays(programs):
    process = programs.start(
        "wait.py",
        "import signal\n"
        "from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor\n"
        "signal.signal(15, lambda *_: sys.exit(5))\n"
        "ExitFlushInstrumentor().instrument()\n",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="exit_flush",
    )
    assert end(process, signal.SIGTERM) == 5
    assert programs.span_names == ["first"]


def test_sigint_with_the_default_action_is_flushed_after_one_call(programs):
    process = programs.start(
        "wait.py",
        "import signal\n"
        "from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor\n"
        "signal.signal(2, signal.SIG_DFL)\n"
        "ExitFlushInstrumentor().instrument()\n",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="exit_flush",
    )
    assert end(process, signal.SIGINT) == -signal.SIGINT
    assert programs.span_names == ["first"]


def test_ignored_signal_stays_ignored(programs):
    process = programs.start(
        "wait.py", "import signal; signal.signal(15, signal.SIG_IGN)"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(end_after_ignored(process))
    assert end_now(process, signal.SIGHUP) == -signal.SIGHUP


def end_after_ignored(process: subprocess.Popen[str]) -> float:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    return 0.3


def end_now(process: subprocess.Popen[str], signum: int) -> int:
    process.send_signal(signum)
    return process.wait(timeout=30)


def test_server_that_does_not_respond_delays_the_end_by_the_limit(
    programs, dead_server
):
    process = programs.start(
        "wait.py",
        OTEL_EXPORTER_OTLP_ENDPOINT=dead_server,
        OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT="1.5",
    )
    with at_most(4):
        assert end(process, signal.SIGTERM) == -signal.SIGTERM
    # The other server got the spans.
    assert [span.name for span in programs.mlflow.spans] == ["first"]
    assert process.stderr.read().endswith(
        "Telemetry may be lost: the flush at the end of the process did not end within "
        "1.5 s.\n"
    )


def test_second_signal_ends_at_once_unless_it_follows_the_first_immediately(
    programs, dead_server
):
    process = programs.start("wait.py", OTEL_EXPORTER_OTLP_ENDPOINT=dead_server)
    start = time.monotonic()
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(1) == -signal.SIGTERM
    assert time.monotonic() - start < 5
    assert [span.name for span in programs.mlflow.spans] == ["first"]


def test_ctrl_c_during_the_flush_does_not_change_the_status(programs, dead_server):
    process = programs.start(
        "wait.py",
        OTEL_EXPORTER_OTLP_ENDPOINT=dead_server,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert end_now(process, signal.SIGINT) == -signal.SIGTERM


def test_lock_of_the_interrupted_thread_delays_the_end_by_the_limit(programs):
    process = programs.start(
        "wait.py",
        "import threading\n"
        "from opentelemetry.instrumentation.exit_flush._before_flush import (\n"
        "    before_flush,\n"
        ")\n"
        "lock = threading.Lock()\n"
        "lock.acquire()\n"
        "before_flush.register(lock.acquire)\n",
        OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT="0.5",
    )
    with at_most(3):
        assert end(process, signal.SIGTERM) == -signal.SIGTERM


def test_program_with_gevent_is_flushed(programs):
    process = programs.start(
        "wait.py",
        "from gevent import monkey; monkey.patch_all()\n"
        "import time\n"
        "work('greenlet')\n",
    )
    assert end(process, signal.SIGTERM) == -signal.SIGTERM
    assert programs.span_names == ["first", "greenlet"]


def test_first_process_of_a_container_continues_as_without_this_library(programs):
    """The kernel ignores the default action for it."""
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run(
            [unshare, "--fork", "--pid", "true"], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("needs the permission to create a process namespace")
    command = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    process = programs.start(
        "-c",
        command,
        unshare,
        "--fork",
        "--pid",
        str(SCRIPTS / "opentelemetry-instrument"),
        sys.executable,
        "wait.py",
        "import os, signal\n"
        "assert os.getpid() == 1\n"
        "signal.raise_signal(15)\n"
        "work('second')\n"
        "signal.raise_signal(15)\n"
        "sys.exit(4)\n",
        automatic=False,
    )
    process.communicate(timeout=30)
    assert programs.span_names == ["first", "second"]
    # Two flushes, and the end.
    assert len(programs.otlp.requests) == 2


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_uvicorn_flushes_the_calls_of_all_requests(programs, deepseek, signum):
    port = free_port()
    process = programs.start("-m", "uvicorn", "asgi:app", "--port", str(port))
    for number in range(3):
        get(f"http://127.0.0.1:{port}/{number}")
    with at_most(6):
        process.send_signal(signum)
        status = process.wait(timeout=30)
    assert status == (-15 if signum == signal.SIGTERM else 0)
    assert len(deepseek.exchanges) == 3
    assert programs.span_names == ["chat deepseek-flash"] * 3


def get(url: str) -> None:
    """Waits for the server."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(URLError), urlopen(url):
            return
        time.sleep(0.1)
    pytest.fail(f"no response from {url}")
