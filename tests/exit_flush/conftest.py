"""Programs under `opentelemetry-instrument`, and the servers that receive telemetry."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.otlp_receiver import OtlpReceiver
from examples.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(__file__).with_name("programs")
SCRIPTS = Path(sysconfig.get_path("scripts"))

# `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=exit_flush pytest tests/exit_flush` shows what
# is lost without this library.
DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


@dataclass
class Programs:
    """Starts programs. Both receivers must get the same spans."""

    otlp: OtlpReceiver
    mlflow: OtlpReceiver
    folder: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(
        default_factory=list[subprocess.Popen[str]]
    )

    def start(
        self, *arguments: str, automatic: bool = True, **environment: str
    ) -> subprocess.Popen[str]:
        """Start `python ARGUMENTS` under `opentelemetry-instrument`."""
        command = [sys.executable, *arguments]
        if automatic:
            command.insert(0, str(SCRIPTS / "opentelemetry-instrument"))
        process = subprocess.Popen(
            command,
            cwd=PROGRAMS,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Its children are killed with it.
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def run(
        self, *arguments: str, automatic: bool = True, **environment: str
    ) -> tuple[int, str, str]:
        """Returns the exit status, stdout and stderr."""
        process = self.start(*arguments, automatic=automatic, **environment)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    @property
    def span_names(self) -> list[str]:
        names = sorted(span.name for span in self.otlp.spans)
        assert names == sorted(span.name for span in self.mlflow.spans)
        return names


@pytest.fixture(autouse=True, scope="session")
def default_action_of_sighup() -> Iterator[None]:
    """Programs inherit it. Under `nohup` the signal would be ignored."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    previous = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, previous)


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with OtlpReceiver() as otlp, OtlpReceiver() as mlflow:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name == DISABLED or not name.startswith(("OTEL_", "MLFLOW_"))
        }
        programs = Programs(
            otlp,
            mlflow,
            tmp_path,
            environment
            | {
                "OTEL_BSP_SCHEDULE_DELAY": "60000",
                "OTEL_EXPORTER_MLFLOW_ENDPOINT": mlflow.endpoint,
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_TRACES_EXPORTER": "otlp,mlflow",
            },
        )
        yield programs
        for process in programs.processes:
            with process:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    process.kill()


@pytest.fixture
def deepseek(programs: Programs) -> Iterator[Simulator]:
    with Simulator() as simulator:
        programs.environment |= {
            "OPENAI_API_KEY": "sk-test-1234",
            "OPENAI_BASE_URL": simulator.base_url,
            "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": "127.0.0.1",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT",
        }
        yield simulator


@pytest.fixture
def dead_server() -> Iterator[str]:
    """The URL of a server that accepts connections and does not respond."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


def end(process: subprocess.Popen[str], signum: int) -> int:
    """Signal a process that has printed a line. Returns its exit status."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()
    process.send_signal(signum)
    return process.wait(timeout=30)
