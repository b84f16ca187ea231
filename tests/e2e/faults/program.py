"""Runs a program of this package in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).parents[3]
# pytest imports the package under a shorter name.
PACKAGE = "tests.e2e.faults"
_END_TIMEOUT_SECONDS = 180


def environment(variables: dict[str, str]) -> dict[str, str]:
    """The environment of a program: without settings but those given."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "DEEPSEEK_", "MLFLOW_", "OTEL_"))
        and not name.lower().endswith("_proxy")
    }
    return inherited | variables


class Program:
    """A context manager: a program of this package, which reports events.

    If it still runs at the exit, it is killed.
    """

    def __init__(
        self,
        module: str,
        arguments: list[str],
        uri: str,
        experiment_id: str,
        settings: dict[str, str],
        *,
        waits: bool,
    ) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # lives as long as the program
        command = [sys.executable, "-m", f"{PACKAGE}.{module}", *arguments]
        self.process = subprocess.Popen(
            command + ["--wait"] * waits,
            cwd=ROOT,
            env=environment(
                {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_ID": experiment_id}
                | settings
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._waits = waits

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        # It closes the pipes. A killed program does not read its input.
        with self._log, suppress(BrokenPipeError):
            self.process.__exit__(None, None, None)

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
            raise RuntimeError(f"the program exited before {event!r}:\n{self.log}")
        values: dict[str, Any] = json.loads(line)
        assert values["event"] == event, values
        return values

    def end(self) -> tuple[dict[str, Any], float]:
        """Returns the values of `ended`, and the seconds that the end took.

        A program that does not end is killed; it has no values.
        """
        assert self.process.stdin
        assert self.process.stdout
        if self._waits:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        self.read("ending")
        start = time.monotonic()
        # Not communicate(), which would miss what readline() has buffered.
        timer = threading.Timer(_END_TIMEOUT_SECONDS, self.process.kill)
        timer.start()
        output = self.process.stdout.read()
        self.process.wait()
        timer.cancel()
        end_seconds = time.monotonic() - start
        lines = output.splitlines()
        return (json.loads(lines[-1]) if lines else {}), end_seconds
