"""Runs of programs that are terminated or killed, and of gunicorn."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .fault_proxy import FaultProxy
from .faults import LostResponse, Randomly, Reset, Respond, no_fault
from .gunicorn_application import SPANS_OF_MASTER, SPANS_PER_REQUEST
from .outcome import Outcome
from .program import PACKAGE, ROOT, Program, environment
from .run import wait_until

if TYPE_CHECKING:
    from .mlflow_backend import MlflowBackend

_END_TIMEOUT_SECONDS = 60
_SPAN_ID_SIZE = 8


@dataclass(frozen=True)
class Termination:
    """SIGTERM while `spans` wait in the processor's queue."""

    spans: int = 1000

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        experiment_id = mlflow.create_experiment()
        arguments = ["--exporter", exporter, "--spans", str(self.spans)]
        settings = {
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(self.spans + 1),
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        with (
            FaultProxy(mlflow.address) as proxy,
            Program(
                "sender",
                [*arguments, "--exit-flush"],
                proxy.uri,
                experiment_id,
                settings,
                waits=True,
            ) as program,
        ):
            program.read("started")
            program.read("sent")
            start = time.monotonic()
            program.process.terminate()
            program.process.wait(_END_TIMEOUT_SECONDS)
            return Outcome(
                self.spans,
                mlflow.span_ids(experiment_id),
                end_seconds=time.monotonic() - start,
                exports=proxy.exports,
                log=program.log,
            )


@dataclass(frozen=True)
class Kills:
    """`kill -9` at random moments, while half of the exports fail. The spool is kept.

    An export that had not returned is still the processor's. A last program delivers
    what waits.
    """

    count: int
    longest_life: float
    drain_seconds: float

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        experiment_id = mlflow.create_experiment()
        faults = (Respond(503), Reset(), LostResponse())
        moments = random.Random(1)
        with (
            tempfile.TemporaryDirectory("-spool") as folder,
            FaultProxy(mlflow.address, Randomly(0.5, faults)) as proxy,
        ):
            exported, ended = Path(folder) / "exported", Path(folder) / "ended"
            settings = {
                "FAULTS_ENDED_SPANS": str(ended),
                "FAULTS_EXPORTED_SPANS": str(exported),
                "OTEL_BSP_SCHEDULE_DELAY": "100",
                "OTEL_EXPORTER_MLFLOW_SPOOL": str(Path(folder) / "spool"),
            }

            def start(*arguments: str) -> Program:
                return Program(
                    "sender",
                    ["--exporter", exporter, *arguments],
                    proxy.uri,
                    experiment_id,
                    settings,
                    waits=True,
                )

            for _ in range(self.count):
                with start("--rate", "200", "--seconds", "600") as program:
                    program.read("started")
                    time.sleep(moments.uniform(0, self.longest_life))
                    program.process.kill()
            proxy.schedule = no_fault
            exported_ids = _span_ids(exported)
            with start("--seconds", "0") as program:
                program.read("started")
                program.read("sent")
                wait_until(
                    lambda: exported_ids <= set(mlflow.span_ids(experiment_id)),
                    self.drain_seconds,
                )
                program.end()
                log = program.log
            arrived = mlflow.span_ids(experiment_id)
            return Outcome(
                sent=ended.stat().st_size,
                arrived=arrived,
                missing_of_exported=len(exported_ids - set(arrived)),
                exports=proxy.exports,
                log=log,
            )


def _span_ids(path: Path) -> set[bytes]:
    content = path.read_bytes() if path.exists() else b""
    return {
        content[start : start + _SPAN_ID_SIZE]
        for start in range(0, len(content), _SPAN_ID_SIZE)
    }


@dataclass(frozen=True)
class Gunicorn:
    """`gunicorn --preload` with four workers, which gets SIGTERM after the requests."""

    requests: int

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        experiment_id = mlflow.create_experiment()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "gunicorn", "--preload", "-w", "4"]
        command += [
            "-b",
            address,
            f"{PACKAGE}.gunicorn_application:create_application()",
        ]
        with (
            FaultProxy(mlflow.address) as proxy,
            tempfile.TemporaryFile("w+", encoding="utf-8") as log,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(
                    {
                        "FAULTS_EXPORTER": exporter,
                        "MLFLOW_TRACKING_URI": proxy.uri,
                        "MLFLOW_EXPERIMENT_ID": experiment_id,
                    }
                ),
                stderr=log,
            ) as process,
        ):
            wait_until(lambda: _is_answered(address), _END_TIMEOUT_SECONDS)
            for _ in range(self.requests - 1):
                _is_answered(address)
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(_END_TIMEOUT_SECONDS)
            end_seconds = time.monotonic() - start
            log.seek(0)
            return Outcome(
                SPANS_OF_MASTER + self.requests * SPANS_PER_REQUEST,
                mlflow.span_ids(experiment_id),
                end_seconds=end_seconds,
                exports=proxy.exports,
                log=log.read(),
            )


def _is_answered(address: str) -> bool:
    with (
        suppress(OSError),
        urllib.request.urlopen(f"http://{address}/", timeout=10) as response,
    ):
        return bool(response.read())
    return False
