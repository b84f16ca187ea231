"""Tests `opentelemetry-instrument`, which loads this package and genai-openai."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from examples.simulator import RecordedResponse

from .calls import SAMPLES, part_types

if TYPE_CHECKING:
    from examples.simulator import Simulator

PROGRAM: Final = """
import json
import sys
from importlib.metadata import entry_points

import openai

print(json.dumps([e.name for e in entry_points(group="opentelemetry_instrumentor")]))
client = openai.OpenAI(base_url=sys.argv[1], api_key="sk-test-1234")
question = [{"role": "user", "content": "Why?"}]
for stream in (False, True):
    response = client.chat.completions.create(
        model="deepseek-flash", messages=question, stream=stream
    )
    if stream:
        list(response)
with client.responses.stream(model="deepseek-flash", input="Why?") as events:
    list(events)
"""


@pytest.mark.parametrize("first", ["deepseek", "openai"])
def test_opentelemetry_instrument_records_deepseek_calls_with_this_package(
    deepseek: Simulator, tmp_path: Path, first: str
) -> None:
    # Entry points are loaded in the order of the path.
    for name in ("deepseek", "genai-openai"):
        if name.endswith(first):
            metadata = distribution(f"opentelemetry-instrumentation-{name}")
            (dist_info,) = {
                Path(str(metadata.locate_file(file))).parent
                for file in metadata.files or ()
                if file.name == "entry_points.txt"
            }
            shutil.copytree(dist_info, tmp_path / dist_info.name)
    deepseek.answer_next(RecordedResponse.from_file(SAMPLES / "chat_thinking.json"))
    deepseek.answer_next(RecordedResponse.from_file(SAMPLES / "stream_thinking.sse"))
    deepseek.answer_next(RecordedResponse.from_file(SAMPLES / "responses_stream.sse"))

    process = subprocess.run(
        [
            Path(sys.executable).with_name("opentelemetry-instrument"),
            *("--traces_exporter", "console"),
            *("--metrics_exporter", "none", "--logs_exporter", "none"),
            *(sys.executable, "-c", PROGRAM, deepseek.base_url),
        ],
        env=os.environ
        | {
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
            "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": "127.0.0.1",
            "PYTHONPATH": str(tmp_path),
        },
        check=True,
        capture_output=True,
        text=True,
    )

    assert process.stderr == ""
    order, _, console = process.stdout.partition("\n")
    assert json.loads(order)[0] == first
    spans = [span["attributes"] for span in parse_json_objects(console)]
    assert [(span["gen_ai.provider.name"], part_types(span)) for span in spans] == [
        ("deepseek", ["reasoning", "text"])
    ] * 3


def parse_json_objects(text: str) -> list[dict[str, Any]]:
    """Returns the JSON objects that the console exporter printed in sequence."""
    objects, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        objects.append(value)
        text = text[end:]
    return objects
