"""Runs the sender against MLflow, with a fault in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .disturbances import Site
from .fault_proxy import FaultProxy
from .faults import no_fault
from .outcome import Outcome
from .sender import INPUT_TOKENS, SPANS_PER_TRACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .disturbances import Disturbance
    from .fault_proxy import Schedule
    from .mlflow_backend import MlflowBackend

ROOT = Path(__file__).parents[3]
_END_TIMEOUT_SECONDS = 180
_COMMIT_TIMEOUT_SECONDS = 30


def environment(**variables: str) -> dict[str, str]:
    """The environment of a program: without settings but those given."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "DEEPSEEK_", "MLFLOW_", "OTEL_"))
        and not name.lower().endswith("_proxy")
    }
    return inherited | variables


@dataclass(frozen=True)
class Run:
    """One run of the sender, as data.

    `arguments` are the sender's. `schedule` makes the faults of the run, and
    `disturbance` is what happens to MLflow meanwhile. If `drain_seconds` is not 0, the
    program runs on until everything has arrived, at most that long after the fault.
    """

    arguments: tuple[str, ...]
    schedule: Callable[[], Schedule] = lambda: no_fault
    disturbance: Disturbance | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])
    has_spool: bool = False
    drain_seconds: float = 0.0

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        experiment_id = mlflow.create_experiment()
        with (
            FaultProxy(mlflow.address, self.schedule()) as proxy,
            tempfile.TemporaryDirectory("-spool") as spool,
        ):
            settings = dict(self.settings)
            if self.has_spool:
                settings["OTEL_EXPORTER_MLFLOW_SPOOL"] = spool
            program = SenderProgram(
                ["--exporter", exporter, *self.arguments],
                proxy.uri,
                experiment_id,
                settings,
                waits=bool(self.drain_seconds),
            )
            site = Site(mlflow, proxy, experiment_id)
            return self._observe(program, site)

    def _observe(self, program: SenderProgram, site: Site) -> Outcome:
        proxy = site.proxy
        program.read("started")
        proxy.restart_clock()
        thread = _DisturbanceThread(self.disturbance, site)
        thread.start()
        sent = program.read("sent")["spans"]
        if self.drain_seconds:
            thread.join()
            _wait_until(lambda: _stored_count(proxy) >= sent, self.drain_seconds)
        ended_at = time.time()
        values, end_seconds = program.end()
        thread.join()
        # The client may not know of an export that MLflow stores.
        _wait_until(lambda: not proxy.has_open_exchange, _COMMIT_TIMEOUT_SECONDS)
        return Outcome(
            sent=sent,
            arrived=site.mlflow.span_ids(site.experiment_id),
            dropped=values.get("dropped"),
            input_tokens=site.mlflow.input_tokens(site.experiment_id),
            expected_input_tokens=-(-sent // SPANS_PER_TRACE) * INPUT_TOKENS,
            end_seconds=end_seconds,
            p99_milliseconds=values.get("p99_milliseconds", 0.0),
            memory_growth=values.get("memory_growth", 0),
            longest_export=values.get("longest_export", 0.0),
            back_at=thread.ended_at,
            ended_at=ended_at,
            exports=proxy.exports,
            log=program.log,
        )


class _DisturbanceThread(threading.Thread):
    """`ended_at` is the time of time.time of the end."""

    def __init__(self, disturbance: Disturbance | None, site: Site) -> None:
        super().__init__(daemon=True)
        self._disturbance = disturbance
        self._site = site
        self.ended_at = 0.0

    def run(self) -> None:
        if self._disturbance:
            self._disturbance.run(self._site)
        self.ended_at = time.time()


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.1)


def _stored_count(proxy: FaultProxy) -> int:
    stored = [e.span_ids for e in proxy.exports if e.is_stored]
    return len(frozenset[bytes]().union(*stored))


class SenderProgram:
    """A running sender."""

    def __init__(
        self,
        arguments: list[str],
        uri: str,
        experiment_id: str,
        settings: dict[str, str],
        *,
        waits: bool,
    ) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # lives as long as the program
        command = [sys.executable, "-m", "tests.e2e.faults.sender", *arguments]
        self.process = subprocess.Popen(
            command + ["--wait"] * waits,
            cwd=ROOT,
            env=environment(
                MLFLOW_TRACKING_URI=uri, MLFLOW_EXPERIMENT_ID=experiment_id, **settings
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._waits = waits

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def read(self, event: str) -> dict[str, Any]:
        """Reads the next event, which must be `event`."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"the sender exited before {event!r}:\n{self.log}")
        values: dict[str, Any] = json.loads(line)
        assert values["event"] == event, values
        return values

    def end(self) -> tuple[dict[str, Any], float]:
        """Returns the values of `ended`, and the seconds that the end took.

        A program that does not end is killed; it has no values.
        """
        assert self.process.stdin
        if self._waits:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        self.read("ending")
        start = time.monotonic()
        try:
            output, _ = self.process.communicate(timeout=_END_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            output, _ = self.process.communicate()
        end_seconds = time.monotonic() - start
        lines = output.splitlines()
        return (json.loads(lines[-1]) if lines else {}), end_seconds
