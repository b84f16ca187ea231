"""A Celery worker whose tasks run in forked processes."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.quickstart._agent_run import opentelemetry_instrument

from .conftest import PROGRAMS
from .telemetry import ModelCall, assert_complete, conversation, outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .telemetry import Telemetry

pytestmark = pytest.mark.e2e

CELERY = (str(Path(sysconfig.get_path("scripts"), "celery")), "-A", "celery_prefork")
# What a worker logs at level WARNING.
CELERY_MESSAGES = (
    "No hostname was supplied. Reverting to default 'localhost'",
    "Got shutdown from remote",
)


@pytest.fixture
def celery_environment(environment, tmp_path) -> dict[str, str]:
    for name in ("messages", "control", "results"):
        (tmp_path / name).mkdir()
    return environment | {"CELERY_FOLDER": str(tmp_path)}


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    """Runs a worker and stops it with Celery's command."""
    command = [opentelemetry_instrument(), *CELERY, "worker", "--pool", "prefork"]
    command += ["--concurrency", "2", "--loglevel", "WARNING", "--logfile", str(log)]
    with subprocess.Popen(
        command,
        cwd=PROGRAMS,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield
            # It fails with "No nodes replied", because the worker ends without a reply.
            run([*CELERY, "control", "shutdown"], environment)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors


def run(
    command: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=PROGRAMS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ask(environment: dict[str, str]) -> None:
    process = run([sys.executable, "celery_prefork.py"], environment)
    assert (process.returncode, process.stdout.splitlines()) == (
        0,
        ["The capital of France is Paris.", "The capital of Italy is Rome."],
    ), process.stderr


def wait_for_spans(telemetry: Telemetry) -> None:
    deadline = time.monotonic() + 30
    while len(telemetry.mlflow_spans) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)


def test_a_task_in_a_forked_process_is_one_trace(
    celery_environment, telemetry, tmp_path
):
    """The processes export while they run."""
    celery_environment["OTEL_BSP_SCHEDULE_DELAY"] = "200"
    log = tmp_path / "worker.log"
    with worker(celery_environment, log):
        ask(celery_environment)
        wait_for_spans(telemetry)
    assert [
        line
        for line in log.read_text().splitlines()
        if not line.endswith(CELERY_MESSAGES)
    ] == []
    assert telemetry.model_calls == [ModelCall("chat deepseek-flash")] * 2
    assert_complete(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [
        [(0, "CHAT_MODEL", "chat deepseek-flash")]
    ] * 2
    assert sorted(conversation(trace) for trace in telemetry.traces) == [
        ("OK", "What is the capital of France?", "The capital of France is Paris."),
        ("OK", "What is the capital of Italy?", "The capital of Italy is Rome."),
    ]


def test_a_worker_that_shuts_down_exports_the_last_spans(
    celery_environment, telemetry, tmp_path
):
    celery_environment["OTEL_BSP_SCHEDULE_DELAY"] = "60000"
    with worker(celery_environment, tmp_path / "worker.log"):
        ask(celery_environment)
    assert telemetry.model_calls == [ModelCall("chat deepseek-flash")] * 2
    assert_complete(telemetry)
