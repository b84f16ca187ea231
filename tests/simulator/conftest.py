"""The simulator, clients of it, and DeepSeek's own code for comparison."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from openai import OpenAI

from examples.simulator import Simulator
from tests.simulator.http_requests import API_KEY
from tests.skipping import skip_unless_ci

SAMPLES = Path(__file__).parents[1] / "deepseek_samples"


@pytest.fixture
def samples():
    return SAMPLES


@pytest.fixture
def simulator():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def session_client():
    with OpenAI(api_key=API_KEY) as client:
        yield client


@pytest.fixture
def client(session_client, simulator):
    # The copy shares the connection pool, which is slow to create.
    return session_client.with_options(base_url=simulator.base_url)


@pytest.fixture(scope="session")
def deepseek_recipe():
    """deepseek-recipe, which has no wheels for Windows, musl and Intel Macs."""
    try:
        return importlib.import_module("deepseek_recipe")
    except ImportError as error:
        skip_unless_ci(
            f"deepseek-recipe, the reference implementation, is not installed: {error}"
        )
