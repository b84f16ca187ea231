"""The quickstart brings a collector where there is one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .conftest import ENVIRONMENT

pytestmark = pytest.mark.e2e


@pytest.fixture
def quickstart(mlflow_uri):
    def run(program):
        return subprocess.run(
            [sys.executable, "-m", "examples.quickstart"],
            env=ENVIRONMENT
            | {"MLFLOW_TRACKING_URI": mlflow_uri, "OTELCOL": str(program)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_spans_pass_the_collector_on_their_way(quickstart, otelcol):
    done = quickstart(otelcol)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "and before it a collector, http://127.0.0.1:" in done.stdout
    assert re.search(r"^OTLP +5 spans arrived", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("no-such-program", "OTELCOL=no-such-program: there is no such program"),
        ("false", "its log ends:"),
    ],
)
def test_one_that_is_none_is_left_out_with_the_reason(quickstart, program, why):
    done = quickstart(program)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The collector is left out: {why}" in done.stdout
    assert re.search(r"^OTLP +5 spans arrived", done.stdout, re.MULTILINE)
