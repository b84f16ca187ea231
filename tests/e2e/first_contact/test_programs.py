"""Mistakes of the program, and other instrumentations in it."""

from __future__ import annotations

import pytest

from examples.simulator import Simulator

from .conftest import HELLO

pytestmark = pytest.mark.e2e

ERROR = "openai.AuthenticationError"
AUTOLOG = (
    "import mlflow\nmlflow.openai.autolog()\n"
    # Without its docstring.
    + HELLO.read_text("utf-8").rpartition('"""')[2]
)
# The SDK's own HTTP client, without a network.
OPENAI = """
import sys

import httpx2 as httpx
from openai import DefaultHttpxClient, OpenAI

ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": sys.argv[1],
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hi"},
        }
    ],
}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json=ANSWER))
client = OpenAI(api_key="sk-1", http_client=DefaultHttpxClient(transport=transport))
question = {"role": "user", "content": "Hi"}
response = client.chat.completions.create(model=sys.argv[1], messages=[question])
print(response.choices[0].message.content)
"""


def test_no_key(run):
    screen = run(DEEPSEEK_API_KEY=None)
    assert screen.exit_code == 1
    assert screen.lines.count("Traceback (most recent call last):") == 1
    assert screen.lines[-1] == "KeyError: 'DEEPSEEK_API_KEY'"


def test_wrong_key(run, traces, experiment):
    with Simulator(api_key="sk-right") as simulator:
        screen = run(
            DEEPSEEK_API_KEY="sk-wrong-key",
            DEEPSEEK_BASE_URL=simulator.base_url,
            OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS="127.0.0.1",
        )
    # The traceback of the program, with the SDK's exception.
    assert screen.exit_code == 1
    assert screen.lines.count("Traceback (most recent call last):") == 1
    assert screen.lines[-1].startswith("openai.AuthenticationError: Error code: 401")
    (trace,) = traces(experiment)
    (span,) = trace.data.spans
    assert (trace.info.state, span.attributes["error.type"]) == ("ERROR", ERROR)
    assert "sk-wrong-key" not in trace.to_json()


def test_openais_own_host_is_left_alone(run, tmp_path):
    (tmp_path / "openai_call.py").write_text(OPENAI)
    assert run("openai_call.py", "gpt-5") == (0, "Hi\n", [])
    screen = run("openai_call.py", "deepseek-flash")
    assert screen.line.startswith(
        "Calls of DeepSeek's models at api.openai.com are not recorded. "
    )


def test_autolog_is_enabled_too(run, traces, experiment):
    screen = run(AUTOLOG)
    assert screen.is_as_without_telemetry
    assert screen.lines == []
    (trace,) = traces(experiment)
    assert [span.name for span in trace.data.spans] == ["chat deepseek-flash"]
