"""An environment for each subject, and a process in it that measures on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from .inside.subjects import OURS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .inside.subjects import Subject

_CHECKOUT: Final = Path(__file__).parents[2]
_CONFIGURATION: Final = ("OTEL_", "OPENAI_", "MLFLOW_", "LANGFUSE_", "TRACELOOP_")


def environment(subject: Subject, folder: Path) -> Path:
    """The Python of `subject`'s environment; the yardstick shares ours."""
    ours = not subject.is_peer
    home = folder / (OURS if ours else subject.name)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _run("uv", "venv", "--quiet", "--python", sys.executable, str(home))
    required = ["--editable", str(_CHECKOUT)] if ours else [subject.distribution]
    _run(
        *("uv", "pip", "install", "--quiet", "--upgrade", "--python", str(python)),
        *("openai", "opentelemetry-sdk", *required),
    )
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


class Worker:
    """A running process; `versions` are those of what it measures."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers
        self.versions: dict[str, str] = self._read()

    def round(self, case: str) -> dict[str, float]:
        self._requests.write(f"{case}\n")
        self._requests.flush()
        return self._read()

    def _read(self) -> Any:
        if not (line := self._answers.readline()):
            raise RuntimeError("a worker has died; what it said is above")
        return json.loads(line)


@contextmanager
def workers(
    pythons: Mapping[str, Path], mode: str, settings: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, Worker]]:
    """One process for each name in `settings`, all alive until the block is left."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_CONFIGURATION)
    }
    with ExitStack() as running:
        processes = {
            name: running.enter_context(
                subprocess.Popen(
                    [pythons[name], "-m", f"{__package__}.inside", name, mode],
                    cwd=_CHECKOUT,
                    env={**inherited, **chosen},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, chosen in settings.items()
        }
        for process in processes.values():
            # Some peers wait at their exit for a server that is not there.
            running.callback(process.kill)
        yield {
            name: Worker(_pipe(process.stdin), _pipe(process.stdout))
            for name, process in processes.items()
        }


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def chosen(names: list[str]) -> list[Subject]:
    """The yardstick and ours, and the peers of these names; `all` means every peer."""
    return [
        subject
        for subject in SUBJECTS.values()
        if not subject.is_peer or subject.name in names or "all" in names
    ]
