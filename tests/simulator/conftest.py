"""The simulator, clients of it, and DeepSeek's own code to compare it with."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from openai import OpenAI

from examples.simulator import Simulator
from tests.skipping import skip_unless_ci

SAMPLES = Path(__file__).parents[1] / "deepseek_samples"


@pytest.fixture
def samples():
    return SAMPLES


@pytest.fixture
def deepseek():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def sdk():
    with OpenAI(api_key="sk-of-the-test-1234") as client:
        yield client


@pytest.fixture
def client(sdk, deepseek):
    # A copy shares the connection pool, which takes long to make.
    return sdk.with_options(base_url=deepseek.base_url)


@pytest.fixture(scope="session")
def recipe():
    """deepseek-recipe, which has no wheels for Windows, musl and Intel Macs."""
    try:
        return importlib.import_module("deepseek_recipe")
    except ImportError as error:
        skip_unless_ci(
            f"deepseek-recipe, the oracle of these tests, is not here: {error}"
        )
