"""Creates an environment for each subject and starts a worker process in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from .worker.subjects import DEEPSEEK, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .worker.subjects import Subject

_CHECKOUT: Final = Path(__file__).parents[2]
_EXCLUDED_PREFIXES: Final = ("OTEL_", "OPENAI_", "MLFLOW_", "LANGFUSE_", "TRACELOOP_")


def environment(subject: Subject, folder: Path) -> Path:
    """Creates or updates the environment of a subject; returns its Python.

    The bare span shares the environment of this package.
    """
    home = folder / (subject.name if subject.is_peer else DEEPSEEK)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _run("uv", "venv", "--quiet", "--python", sys.executable, str(home))
    requirements = (
        [subject.distribution] if subject.is_peer else ["--editable", str(_CHECKOUT)]
    )
    _run(
        *("uv", "pip", "install", "--quiet", "--upgrade", "--python", str(python)),
        *("openai", "opentelemetry-sdk", *requirements),
    )
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


class Worker:
    """A worker process; `versions` are the versions of the measured packages."""

    def __init__(self, requests: IO[str], responses: IO[str]) -> None:
        self._requests = requests
        self._responses = responses
        self.versions: dict[str, str] = self._read()

    def round(self, case: str) -> dict[str, float]:
        self._requests.write(f"{case}\n")
        self._requests.flush()
        return self._read()

    def _read(self) -> Any:
        if not (line := self._responses.readline()):
            raise RuntimeError("A worker process exited. See its output above.")
        return json.loads(line)


@contextmanager
def start_workers(
    pythons: Mapping[str, Path],
    mode: str,
    variables_by_subject: Mapping[str, Mapping[str, str]],
) -> Iterator[dict[str, Worker]]:
    """Starts a worker for each subject and stops them when the context ends."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_EXCLUDED_PREFIXES)
    }
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                subprocess.Popen(
                    [pythons[name], "-m", f"{__package__}.worker", name, mode],
                    cwd=_CHECKOUT,
                    env={**inherited, **variables},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, variables in variables_by_subject.items()
        }
        for process in processes.values():
            # Some peers wait at exit for a server that does not exist.
            stack.callback(process.kill)
        yield {
            name: Worker(_pipe(process.stdin), _pipe(process.stdout))
            for name, process in processes.items()
        }


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def select_subjects(names: list[str]) -> list[Subject]:
    """Returns the bare span, this package and the named peers; `all` names them all."""
    return [
        subject
        for subject in SUBJECTS.values()
        if not subject.is_peer or subject.name in names or "all" in names
    ]
