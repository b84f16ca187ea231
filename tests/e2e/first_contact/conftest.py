"""A program as a new user runs it: with the README's commands, and one mistake."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import ENVIRONMENT, ROOT
from tests.skipping import skip_unless_ci

if TYPE_CHECKING:
    from collections.abc import Callable

HELLO = ROOT / "examples" / "hello.py"
README = (ROOT / "README.md").read_text("utf-8")
(IN_CODE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
ANSWER = (
    "Air scatters short waves of light more than long ones. So the blue part of "
    "sunlight reaches us from all over the sky, and the sky looks blue.\n"
)


class Screen(NamedTuple):
    """What a program leaves on the screen."""

    exit_code: int
    output: str
    lines: list[str]  # of stderr

    @property
    def line(self) -> str:
        """The only line on stderr."""
        (line,) = self.lines
        return line

    @property
    def is_as_without_telemetry(self) -> bool:
        return (self.exit_code, self.output) == (0, ANSWER)


@pytest.fixture
def experiment() -> str:
    return f"first contact {uuid.uuid4()}"


@pytest.fixture
def variables(simulator, mlflow_uri, experiment) -> dict[str, str]:
    """What the README sets, with the addresses of the servers of the test."""
    return {
        "DEEPSEEK_API_KEY": "sk-first-contact",
        "DEEPSEEK_BASE_URL": simulator.base_url,
        "MLFLOW_EXPERIMENT_NAME": experiment,
        "MLFLOW_TRACKING_URI": mlflow_uri,
        # The end of a program waits as long for an MLflow that does not work.
        "OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT": "1",
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(simulator.base_url).netloc,
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_TRACES_EXPORTER": "mlflow",
    }


@pytest.fixture
def run(variables: dict[str, str], tmp_path: Path) -> Callable[..., Screen]:
    """A function that runs a program, by default `hello.py`.

    `mistakes` are variables to set, or to leave out if the value is None. `python` is
    that of another environment.
    """

    def run(
        *program: str,
        automatic: bool = True,
        python: Path | None = None,
        **mistakes: str | None,
    ) -> Screen:
        if program and "\n" in program[0]:
            (tmp_path / "app.py").write_text(program[0])
            program = ("app.py",)
        python = python or Path(sys.executable)
        command = [str(python), *(program or (str(HELLO),))]
        if automatic:
            command.insert(0, str(python.with_name("opentelemetry-instrument")))
        process = subprocess.run(
            command,
            cwd=tmp_path,
            env={
                name: value
                for name, value in (ENVIRONMENT | variables | mistakes).items()
                if value is not None
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Screen(process.returncode, process.stdout, process.stderr.splitlines())

    return run


@pytest.fixture
def check(run: Callable[..., Screen]) -> Callable[..., dict[str, str]]:
    """A function that returns the lines of the command that checks the export."""

    def check(**mistakes: str | None) -> dict[str, str]:
        screen = run(
            "-m",
            "opentelemetry.exporter.mlflow",
            "--no-probe",
            automatic=False,
            **mistakes,
        )
        assert screen.lines == []
        # Outcome, check and text, as in `ok       settings: …`.
        lines = [line.split(maxsplit=2) for line in screen.output.splitlines()]
        return {
            check.rstrip(":"): f"{outcome} {text}" for outcome, check, text in lines
        }

    return check


@pytest.fixture(scope="session")
def new_environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Path]:
    """A function that installs packages in a new environment, and returns its Python.

    `extras` are those of this package.
    """
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.defpath}")
    if uv is None:
        skip_unless_ci("needs uv")

    def install(extras: str, *packages: str) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        python = folder / "bin" / "python"
        for arguments in (
            ("venv", "--python", sys.executable, folder),
            ("pip", "install", "--python", python, f"{ROOT}[{extras}]", *packages),
        ):
            subprocess.run((uv, *arguments), check=True, capture_output=True)
        return python

    return install
