"""`examples/lambda_function.py` in a fake of AWS Lambda, which freezes it."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from examples.quickstart._agent_run import opentelemetry_instrument
from tests.published_programs.telemetry import assert_complete, conversation, outline
from tests.skipping import skip_unless_ci

from .lambda_runtime import LambdaRuntime
from .test_programs import BLUE, CALL, EXAMPLES, SKY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.published_programs.telemetry import Telemetry

pytestmark = pytest.mark.e2e

PROGRAM = (EXAMPLES / "lambda_function.py").read_text()
FLUSH = "provider.force_flush()"
EXPORT_INTERVAL = 2


@pytest.fixture
def run_function(
    environment: dict[str, str],
) -> Callable[..., LambdaRuntime]:
    """Runs the module `lambda_function` of a folder as its docstring says."""
    for name in ("awslambdaric", "opentelemetry.instrumentation.aws_lambda"):
        if not find_spec(name):
            skip_unless_ci(f"{name} is not installed")
    arguments = "python -m awslambdaric lambda_function.handler"
    assert f"`opentelemetry-instrument {arguments}`" in PROGRAM

    def run(folder: Path, disabled: str = "aws-lambda") -> LambdaRuntime:
        command = [opentelemetry_instrument(), sys.executable, *arguments.split()[1:]]
        variables = {
            "OTEL_BSP_SCHEDULE_DELAY": str(EXPORT_INTERVAL * 1_000),
            # httpx is instrumented only for the example of two services.
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"httpx,httpx2,{disabled}",
        }
        return LambdaRuntime(command, cwd=folder, env=environment | variables)

    return run


@pytest.fixture
def folder_without_flush(tmp_path: Path) -> Path:
    """A folder with the function, but without the flush."""
    assert FLUSH in PROGRAM
    (tmp_path / "lambda_function.py").write_text(PROGRAM.replace(FLUSH, "pass"))
    return tmp_path


def test_frozen_function_has_sent_its_spans(
    run_function: Callable[..., LambdaRuntime], telemetry: Telemetry
) -> None:
    with run_function(EXAMPLES) as function:
        for count in (1, 2):
            assert function.invoke({"question": SKY}) == {"answer": BLUE}
            assert function.is_frozen
            assert telemetry.model_calls == [CALL] * count
            assert_complete(telemetry)
            traces = [conversation(trace) for trace in telemetry.traces]
            assert traces == [("OK", SKY, BLUE)] * count
        # Also if the handler raises an exception.
        telemetry.simulator.fail_next("400")
        assert function.invoke({"question": SKY})["errorType"] == "BadRequestError"
        assert telemetry.model_calls[-1].status == "ERROR"
        assert conversation(telemetry.traces[-1])[0] == "ERROR"


def test_without_the_flush_the_spans_wait_for_the_next_event(
    run_function: Callable[..., LambdaRuntime],
    telemetry: Telemetry,
    folder_without_flush: Path,
) -> None:
    with run_function(folder_without_flush) as function:
        function.invoke({"question": SKY})
        time.sleep(EXPORT_INTERVAL + 1)
        assert telemetry.model_calls == []
        assert telemetry.traces == []


def test_instrumentation_of_lambda_flushes_too(
    run_function: Callable[..., LambdaRuntime],
    telemetry: Telemetry,
    folder_without_flush: Path,
) -> None:
    """And its span of the event is the root of the trace."""
    with run_function(folder_without_flush, disabled="") as function:
        function.invoke({"question": SKY})
        assert telemetry.model_calls == [CALL._replace(parent="answer")]
        assert_complete(telemetry)
        (trace,) = telemetry.traces
        assert outline(trace)[-1] == (1, "CHAT_MODEL", "chat deepseek-flash")
        assert conversation(trace) == ("OK", SKY, BLUE)
