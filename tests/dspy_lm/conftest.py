"""Fixtures: the real DSPy, which calls a simulated DeepSeek over HTTP."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentation.conftest import (  # noqa: F401  # fixtures
    Telemetry,
    _fail_on_suppressed_errors,
    deepseek,
    instrument,
    sample,
    telemetry,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dspy

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

KEY = "sk-dspy-1234"


@pytest.fixture(params=["lm15", "litellm"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


def pytest_itemcollected(item: pytest.Item) -> None:
    # DSPy and the libraries below it warn of themselves.
    if Path(__file__).parent in item.path.parents:
        item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def lm(engine: str, deepseek: Simulator) -> dspy.LM:  # noqa: F811
    return dspy.LM(
        "deepseek/deepseek-flash",
        api_base=deepseek.base_url,
        api_key=KEY,
        engine=engine,
        cache=False,
        num_retries=0,
    )


@pytest.fixture
def ask(lm: dspy.LM, kind: str) -> Callable[..., Any]:
    def ask(**arguments: Any) -> Any:
        question = "How many r's are in strawberry?"
        if kind == "sync":
            return lm(question, **arguments)
        return asyncio.run(lm.acall(question, **arguments))

    return ask
