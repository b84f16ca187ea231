"""The programs in `examples/`, run by the commands in their docstrings."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

import pytest

from examples.quickstart._agent_run import opentelemetry_instrument
from tests.published_programs.telemetry import (
    ModelCall,
    assert_complete,
    conversation,
    outline,
)
from tests.published_programs.test_agents import MLFLOW_MESSAGES
from tests.published_programs.test_servers import free_port, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.published_programs.telemetry import Telemetry

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SKY = "Why is the sky blue?"
BLUE = (
    "Air scatters short waves of light more than long ones. So the blue part of "
    "sunlight reaches us from all over the sky, and the sky looks blue."
)
CALL = ModelCall("chat deepseek-flash")
SUNNY = "In Paris it is 18 degrees and sunny in Paris."
AGENT = [
    (0, "AGENT", "answer"),
    (1, "CHAT_MODEL", "chat deepseek-flash"),
    (1, "TOOL", "get_weather"),
    (1, "CHAT_MODEL", "chat deepseek-flash"),
]
ONE_CALL = [(0, "CHAT_MODEL", "chat deepseek-flash")]


class Output(NamedTuple):
    """What a program prints, and what it logs besides MLflow's own messages."""

    text: str
    log: str


@pytest.fixture
def run_example(environment: dict[str, str]) -> Callable[..., Output]:
    """Runs an example by the command in its docstring."""

    def run(name: str, *, is_automatic: bool = True) -> Output:
        command = [sys.executable, EXAMPLES / name]
        process = subprocess.run(
            [opentelemetry_instrument(), *command] if is_automatic else command,
            # httpx is instrumented only for the example of two services.
            env=environment | {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx,httpx2"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        log = [
            line
            for line in process.stderr.splitlines()
            if not any(message in line for message in MLFLOW_MESSAGES)
        ]
        return Output(process.stdout, "\n".join(log))

    return run


def assert_complete_in_any_order(telemetry: Telemetry) -> None:
    """Asserts what `assert_complete` does, for calls at the same time."""
    assert sorted(telemetry.tokens) == sorted(telemetry.billed_tokens)
    assert telemetry.mlflow_spans == telemetry.otlp_spans


def test_hello_is_one_call(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    assert run_example("hello.py") == (f"{BLUE}\n", "")
    assert telemetry.model_calls == [CALL]
    assert_complete(telemetry)
    (trace,) = telemetry.traces
    assert outline(trace) == ONE_CALL
    assert conversation(trace) == ("OK", SKY, BLUE)


def test_stream_shows_reasoning_and_answer(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    text, log = run_example("stream.py")
    reasoning, answer = text.split("\033[0m\n", 1)
    assert log == ""
    assert reasoning.startswith("\033[90m")
    assert answer == f"{BLUE}\033[0m\n"
    assert telemetry.model_calls == [CALL]
    assert_complete(telemetry)
    assert [conversation(trace) for trace in telemetry.traces] == [("OK", SKY, BLUE)]


def test_tools_are_in_the_trace_of_the_calls(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    assert run_example("tools.py") == (f"{SUNNY}\n", "")
    assert_complete(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [AGENT]


def test_json_mode_is_one_call(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    assert run_example("json_mode.py") == ("{'name': 'Maria', 'age': 31}\n", "")
    assert telemetry.model_calls == [CALL]
    assert_complete(telemetry)


def test_fan_out_is_a_trace_for_each_question(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    text, log = run_example("fan_out.py")
    assert "100%" in log  # the progress bar
    assert len(text.splitlines()) == 6
    assert telemetry.model_calls == [CALL] * 6
    assert_complete_in_any_order(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [ONE_CALL] * 6


def test_process_pool_is_a_trace_for_each_question(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    text, log = run_example("process_pool.py")
    assert (len(text.splitlines()), log) == (4, "")
    assert telemetry.model_calls == [CALL] * 4
    assert_complete_in_any_order(telemetry)


def test_agent_of_langgraph_is_one_trace(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    assert run_example("langgraph_agent.py") == (f"{SUNNY}\n", "")
    assert_complete(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [AGENT]


def test_router_of_litellm_falls_back(
    run_example: Callable[..., Output],
    environment: dict[str, str],
    telemetry: Telemetry,
) -> None:
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"
    telemetry.simulator.fail_next("503")
    text, _ = run_example("litellm_router.py")
    assert text == f"{BLUE}\n"
    assert [(call.name, call.status) for call in telemetry.model_calls] == [
        ("chat deepseek-flash", "ERROR"),
        ("chat deepseek-v4-pro", "UNSET"),
    ]


def test_declarative_configuration_exports_to_both(
    run_example: Callable[..., Output], telemetry: Telemetry
) -> None:
    output = run_example("declarative.py", is_automatic=False)
    assert output == (f"{BLUE}\n", "")
    assert telemetry.model_calls == [CALL]
    assert_complete(telemetry)
    (span,) = telemetry.receiver.spans
    assert span.resource["service.name"] == "hello"


@contextmanager
def serve(
    application: str, environment: dict[str, str], **variables: str
) -> Iterator[str]:
    """Serves an application until the context ends; yields its URL."""
    port = free_port()
    command = (
        *(opentelemetry_instrument(), sys.executable, "-m", "uvicorn"),
        *(application, "--port", str(port), "--log-level", "warning"),
    )
    process = subprocess.Popen(command, env=environment | variables, cwd=ROOT)
    try:
        request(f"http://127.0.0.1:{port}/openapi.json")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def test_web_application_streams(
    environment: dict[str, str], telemetry: Telemetry
) -> None:
    with (
        serve("examples.web:app", environment) as url,
        urlopen(f"{url}/answer?question=Why+is+the+sky+blue%3F") as response,
    ):
        assert response.read().decode() == BLUE
    traces = [t for t in telemetry.traces if t.spans[0].name == "GET /answer"]
    assert [conversation(trace)[0] for trace in traces] == ["OK"]
    assert (1, "CHAT_MODEL", "chat deepseek-flash") in outline(traces[0])


def test_two_services_are_one_trace(
    environment: dict[str, str], telemetry: Telemetry
) -> None:
    with (
        serve(
            "examples.two_services.answers:app",
            environment,
            OTEL_SERVICE_NAME="answers",
        ) as answers,
        serve(
            "examples.two_services.web:app",
            environment,
            OTEL_SERVICE_NAME="web",
            ANSWERS_URL=answers,
        ) as web,
        urlopen(f"{web}/?question=Why+is+the+sky+blue%3F") as response,
    ):
        assert response.read().decode() == BLUE
    deepseek = [s for s in telemetry.receiver.spans if s.name == CALL.name]
    services = {
        span.resource["service.name"]
        for span in telemetry.receiver.spans
        if span.trace_id == deepseek[0].trace_id
    }
    assert services == {"answers", "web"}
