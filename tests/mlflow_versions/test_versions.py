"""Tests what MLflow has of two programs, with the installed client and its server.

The environments of tox install each minor version. `python -m tests.mlflow_versions`
shows the values.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from examples.quickstart.mlflow_server import MlflowServer
from tests.skipping import skip_unless_ci

from ._facts import Evidence, check_facts
from ._page import chromium_path, read_pages
from ._programs import PROGRAMS
from ._run import run
from ._server_environment import client_version, server_python

# The first time, the environment of the server is installed.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server_uri(tmp_path_factory):
    python = server_python(client_version())
    with MlflowServer(tmp_path_factory.mktemp("mlflow"), python=python) as mlflow:
        yield mlflow.uri


@pytest.mark.parametrize("title", PROGRAMS)
def test_trace_is_whole_in_mlflow_and_at_otlp(server_uri, title):
    if chromium_path() is None or find_spec("playwright") is None:
        skip_unless_ci("needs Chromium and playwright")
    program_run = run(PROGRAMS[title], Path(sys.executable), server_uri)
    checks = check_facts(Evidence(program_run, read_pages(program_run)))
    assert {
        name: check.value for name, check in checks.items() if not check.holds
    } == {}


@pytest.mark.parametrize("title", PROGRAMS)
def test_trace_is_whole_in_a_local_store(tmp_path, title):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    checks = check_facts(
        Evidence(run(PROGRAMS[title], Path(sys.executable), uri), None)
    )
    assert {
        name: check.value for name, check in checks.items() if check.holds is False
    } == {}
