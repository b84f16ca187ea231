"""The commands and the program of the README's section "Use it"."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from examples.quickstart._agent_run import opentelemetry_instrument

from .conftest import ENVIRONMENT, ROOT

pytestmark = pytest.mark.e2e

README = (ROOT / "README.md").read_text("utf-8")
SECTION = README[README.index("\n## Use it\n") : README.index("\n## What is recorded")]
CONSOLE_BLOCKS = re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)
(PROGRAM,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
QUESTION = "Why is the sky blue?"
EXPERIMENT = "my-agent"

# A program for `opentelemetry-instrument`.
APP = """
import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ["DEEPSEEK_BASE_URL"], api_key=os.environ["DEEPSEEK_API_KEY"]
)
question = {"role": "user", "content": "Why is the sky blue?"}
response = client.chat.completions.create(model="deepseek-flash", messages=[question])
print(response.choices[0].message.content)
"""


def exports(block: str) -> dict[str, str]:
    """Returns the variables that the commands of a console block export."""
    lines = re.findall(r"^export (.+)$", block, re.MULTILINE)
    return dict(item.split("=", 1) for line in lines for item in line.split())


def block_with(text: str) -> dict[str, str]:
    (block,) = [block for block in CONSOLE_BLOCKS if text in block]
    return exports(block)


@pytest.fixture
def run(simulator, mlflow_uri, tmp_path):
    """A function that runs a program as `app.py` with the README's variables.

    Only the addresses of the servers are replaced.
    """
    address = {
        "DEEPSEEK_BASE_URL": simulator.base_url,
        "MLFLOW_TRACKING_URI": mlflow_uri,
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(simulator.base_url).netloc,
    }
    documented = block_with("DEEPSEEK_API_KEY=sk-") | block_with("DEEPSEEK_API_KEY=any")
    assert address.keys() <= documented.keys()

    def run(program: str, *command: str, **variables: str):
        (tmp_path / "app.py").write_text(program)
        process = subprocess.run(
            [*command, sys.executable, "app.py"],
            cwd=tmp_path,
            env=ENVIRONMENT | documented | address | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (process.returncode, process.stderr) == (0, "")
        return process.stdout.strip()

    return run


def assert_newest_trace_has(traces, answer: str) -> None:
    newest = max(traces(EXPERIMENT), key=lambda trace: trace.info.timestamp_ms)
    info = newest.info
    assert (info.request_preview, info.response_preview) == (QUESTION, answer)
    assert "scatter" in answer
    assert info.token_usage["output_tokens"] > 0


def test_program_sends_question_and_answer_to_mlflow(run, traces):
    answer = run(PROGRAM)
    assert_newest_trace_has(traces, answer)


def test_commands_for_mlflow_only_log_nothing_and_end_at_once(run, traces):
    variables = block_with("OTEL_TRACES_EXPORTER=mlflow ")
    start = time.monotonic()
    run(APP, **variables | {"OTEL_TRACES_EXPORTER": "none"})
    plain_run = time.monotonic() - start

    start = time.monotonic()
    answer = run(APP, opentelemetry_instrument(), **variables)
    # An exporter without a receiver retries for longer than this.
    assert time.monotonic() - start < plain_run + 5
    assert_newest_trace_has(traces, answer)


def test_commands_for_both_backends_send_the_trace_to_both(run, traces, receiver):
    variables = block_with("OTEL_TRACES_EXPORTER=otlp,mlflow")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in variables
    variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
    answer = run(APP, opentelemetry_instrument(), **variables)
    assert_newest_trace_has(traces, answer)
    assert [span.name for span in receiver.spans] == ["chat deepseek-flash"]
