"""Runs the guides in `docs/` with real servers."""

from __future__ import annotations

import re
import uuid
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient

from examples.otlp_receiver import OtlpReceiver
from examples.simulator import Simulator
from tests.published_programs import conftest
from tests.published_programs.telemetry import Telemetry
from tests.published_programs.test_agents import MLFLOW_MESSAGES

from ._guide import Guide
from ._run import run_guide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.quickstart.mlflow_server import MlflowServer

# The fixtures of the published programs.
mlflow_server = conftest.mlflow_server
environment = conftest.environment

DOCS = Path(__file__).parents[2] / "docs"
# What servers and MLflow write by themselves.
OTHER_LOGS = re.compile(
    "|".join(
        [
            r"INFO: ",
            r".* \[INFO\] ",
            r".* INFO mlflow\.",
            r"Evaluating: ",
            r"$",
            *(f".*{message}" for message in MLFLOW_MESSAGES),
        ]
    )
)
# The tests may run as the user root.
CELERY_SECURITY_WARNING = re.compile(
    r".*SecurityWarning: .*?_warn_or_[^\n]*\n", re.DOTALL
)


@pytest.fixture
def telemetry(mlflow_server: MlflowServer) -> Iterator[Telemetry]:
    """What the programs of a guide record."""
    with Simulator(pace=0) as simulator, OtlpReceiver() as receiver:
        client = MlflowClient(mlflow_server.uri)
        # Without a space, as the guides name it in a shell.
        yield Telemetry(simulator, receiver, client, f"guide-{uuid.uuid4()}")


@pytest.fixture
def run(
    environment: dict[str, str],
    mlflow_server: MlflowServer,
    telemetry: Telemetry,
    tmp_path: Path,
) -> Callable[..., Guide]:
    """Runs the commands of a page, and asserts that they log what the page says."""
    url = telemetry.simulator.base_url
    replacements = {
        "my-agent": telemetry.experiment,
        "DISABLED_INSTRUMENTATIONS=": "DISABLED_INSTRUMENTATIONS=httpx,httpx2,",
        "http://localhost:5000": mlflow_server.uri,
        "http://localhost:4318": telemetry.receiver.endpoint,
        "https://api.deepseek.com": url,
        "http://127.0.0.1:8123": url,
        "127.0.0.1:8123": urlsplit(url).netloc,
    }
    environment |= {
        "DEEPSEEK_API_BASE": url,  # litellm's name
        # They are installed for an example.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx,httpx2",
    }

    def run(page: str, *commands: str, **addresses: str) -> Guide:
        guide = Guide.read(DOCS / page)
        guide.commands += commands
        process = run_guide(guide, tmp_path, environment, replacements | addresses)
        lines = CELERY_SECURITY_WARNING.sub("", process.stderr).splitlines()
        log = [line for line in lines if not OTHER_LOGS.match(line)]
        beginnings = [line.removesuffix("…") for line in guide.log]
        pairs = zip_longest(log, beginnings, fillvalue="")
        assert [line[: len(start)] or line for line, start in pairs] == beginnings
        assert process.returncode == 0
        return guide

    return run
