"""Log messages are visible, whatever logging the application has set up."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PREAMBLE = """
import logging
import opentelemetry.exporter.mlflow
import opentelemetry.instrumentation.deepseek
import opentelemetry.instrumentation.exit_flush
"""
# As `opentelemetry-instrumentation-logging` adds to the root logger.
OTEL_HANDLER = """
class LoggingHandler(logging.Handler):
    def emit(self, record):
        pass

LoggingHandler.__module__ = "opentelemetry.instrumentation.logging.handler"
logging.getLogger().addHandler(LoggingHandler())
"""
MESSAGES = """
for name in (
    "exporter.mlflow",
    "instrumentation.deepseek._suppress",
    "instrumentation.exit_flush",
):
    logger = logging.getLogger(f"opentelemetry.{name}")
    logger.warning("warning of %s", name)
    logger.info("info of %s", name)
"""
WARNINGS = [
    "warning of exporter.mlflow",
    "warning of instrumentation.deepseek._suppress",
    "warning of instrumentation.exit_flush",
]
INFOS = [
    "info of exporter.mlflow",
    "info of instrumentation.deepseek._suppress",
    "info of instrumentation.exit_flush",
]


def log_lines(program: str, **environment: str) -> list[str]:
    process = subprocess.run(
        [sys.executable, "-c", PREAMBLE + program + MESSAGES],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stderr.splitlines()


@pytest.mark.parametrize(
    "program",
    [
        "",
        OTEL_HANDLER,
        "logging.basicConfig(format='%(message)s')",
        "logging.basicConfig(format='%(message)s')" + OTEL_HANDLER,
        "logging.getLogger('opentelemetry').propagate = False" + OTEL_HANDLER,
        "logging.getLogger('opentelemetry').addHandler(logging.StreamHandler())",
    ],
)
def test_warnings_are_shown_once(program: str) -> None:
    assert log_lines(program) == WARNINGS


def test_a_handler_of_the_application_decides() -> None:
    program = "logging.getLogger().addHandler(logging.NullHandler())"
    assert log_lines(program) == []


@pytest.mark.parametrize("program", ["", OTEL_HANDLER])
def test_otel_python_log_level_shows_more(program: str) -> None:
    lines = log_lines(program, OTEL_PYTHON_LOG_LEVEL="info")
    assert sorted(lines) == sorted(WARNINGS + INFOS)


@pytest.mark.parametrize("level", ["", "loud"])
def test_an_unknown_level_changes_nothing(level: str) -> None:
    assert log_lines("", OTEL_PYTHON_LOG_LEVEL=level) == WARNINGS


def test_a_level_that_the_application_sets_stays() -> None:
    program = """
logging.getLogger("opentelemetry.exporter.mlflow").setLevel(logging.ERROR)
"""
    assert log_lines(program) == WARNINGS[1:]


def test_a_closed_stderr_raises_nothing() -> None:
    assert log_lines("import sys; sys.stderr.close()") == []
