"""When litellm is patched, when it is imported, and that it is as before afterwards."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import subprocess
import sys
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .conftest import KEY, MODEL, QUESTION, litellm, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

imported_before = litellm.completion

PROGRAM = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))

def instrument():
    DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])

def call(completion):
    completion(
        model="deepseek/deepseek-flash", api_base=sys.argv[1], api_key="sk-1234",
        messages=[{"role": "user", "content": "How many r's are in strawberry?"}],
    )
    print(len(memory.get_finished_spans()))
"""


def run(program: str, deepseek: Simulator) -> str:
    return subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            PROGRAM + textwrap.dedent(program),
            deepseek.base_url,
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout


def test_function_imported_before_instrument_is_recorded(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    for _ in range(2):
        instrument()
        deepseek.answer_next(sample("chat_thinking.json"))
        imported_before(
            model=MODEL, api_base=deepseek.base_url, api_key=KEY, messages=QUESTION
        )
        DeepSeekInstrumentor().uninstrument()
    assert len(telemetry.spans) == 2


def test_function_imported_after_instrument_is_recorded(deepseek: Simulator) -> None:
    program = """
    instrument()
    from litellm import completion
    call(completion)
    DeepSeekInstrumentor().uninstrument()
    call(completion)
    instrument()
    call(completion)
    """
    assert run(program, deepseek) == "1\n1\n2\n"


def test_process_that_does_not_use_litellm_does_not_import_it(
    deepseek: Simulator,
) -> None:
    program = """
    instrument()
    import openai
    print([name for name in sys.modules if name.startswith(("litellm", "dspy"))])
    """
    assert run(program, deepseek) == "[]\n"


def patched() -> dict[str, Any]:
    from litellm.chat_completions import dispatch
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler

    return {
        "completion": litellm.main.completion,
        "acompletion": litellm.main.acompletion,
        "dispatch": dispatch._PYTHON_COMPLETION,
        "post": vars(HTTPHandler)["post"],
        "apost": vars(AsyncHTTPHandler)["post"],
    }


def test_uninstrument_restores_litellm(instrument: Callable[..., None]) -> None:
    before = patched()
    instrument()
    assert all(function is not before[name] for name, function in patched().items())
    DeepSeekInstrumentor().uninstrument()
    assert patched() == before


@pytest.mark.parametrize("name", ["completion", "acompletion"])
def test_function_is_pickled_and_copied_by_its_name(
    instrument: Callable[..., None], name: str
) -> None:
    instrument()
    function = getattr(litellm.main, name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy({"function": function})["function"] is function
    assert copy.copy(function) is function
    assert inspect.iscoroutinefunction(function) == (name == "acompletion")


def test_call_that_is_cancelled_before_it_starts_warns_of_nothing(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    instrument()

    async def run() -> None:
        call = litellm.main.acompletion(model=MODEL, messages=QUESTION)
        assert call.__qualname__ == "acompletion"
        asyncio.create_task(call).cancel()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        asyncio.run(run())
        gc.collect()
    assert [warning for warning in caught if "awaited" in str(warning.message)] == []
    assert telemetry.spans == []


@pytest.mark.parametrize("content", ["", "SPAN_ONLY"])
def test_application_span_is_the_parent(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
) -> None:
    instrument(content)
    deepseek.answer_next(sample("chat_thinking.json"))
    tracer = telemetry.tracer_provider.get_tracer("app")

    with tracer.start_as_current_span("app") as parent:
        call()

    chat, app = telemetry.spans
    assert app.name == "app"
    assert chat.parent == parent.get_span_context()
