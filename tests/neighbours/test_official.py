"""Beside OpenTelemetry's own instrumentation of the `openai` SDK.

DeepSeek's calls are ours, everybody else's are theirs, whichever was switched on first.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.completions import Completions as TextCompletions
from openai.resources.responses import AsyncResponses, Responses
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Recorded, Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan

theirs = pytest.importorskip(
    "opentelemetry.instrumentation.genai.openai",
    reason="the official instrumentation is in an environment of its own: neighbours",
)

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "tests" / "deepseek_samples"
OURS: Final = "opentelemetry.instrumentation.deepseek"
THEIRS: Final = "opentelemetry.instrumentation.genai.openai"
QUESTION: Final = [{"role": "user", "content": "How many r's are in strawberry?"}]
CHAT: Final = {"model": "deepseek-flash", "messages": QUESTION}
RESPONSE: Final = {"model": "deepseek-flash", "input": "How many r's?"}
METHODS: Final = [
    *((o, m) for o in (Completions, AsyncCompletions) for m in ("create", "parse")),
    *(
        (o, m)
        for o in (Responses, AsyncResponses)
        for m in ("create", "parse", "stream", "retrieve")
    ),
    (TextCompletions, "create"),
]
# The instrumentors in the order of switching on, and of switching off.
ORDERS: Final = ["ours, theirs", "theirs, ours"]


# What is called, with what, and a body that answers it.
CALLS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "chat.completions.create": (CHAT, "chat_thinking.json"),
    "chat.completions.create stream": (CHAT | {"stream": True}, "stream_thinking.sse"),
    "chat.completions.parse": (CHAT, "chat_thinking.json"),
    "chat.completions.stream": (CHAT, "stream_thinking.sse"),
    "chat.completions.with_raw_response.create": (CHAT, "chat_thinking.json"),
    "responses.create": (RESPONSE, "responses.json"),
    "responses.create stream": (RESPONSE | {"stream": True}, "responses_stream.sse"),
    "responses.parse": (RESPONSE, "responses.json"),
    "responses.stream": (RESPONSE, "responses_stream.sse"),
}


def instrumentor(whose: str) -> Any:
    return DeepSeekInstrumentor() if whose == "ours" else theirs.OpenAIInstrumentor()


def on_the_classes() -> list[Any]:
    return [vars(owner)[method] for owner, method in METHODS]


@pytest.fixture
def deepseek() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


class Telemetry:
    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._spans))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Whose each span is, and its provider."""
        found = [
            (span.instrumentation_scope.name, span.attributes["gen_ai.provider.name"])
            for span in self.spans
        ]
        self._spans.clear()
        return found


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def switch_on(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Switch on in this order; DeepSeek is at 127.0.0.1, and OpenAI at localhost."""
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
    )
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "127.0.0.1")

    def switch_on(order: str) -> None:
        for whose in order.split(", "):
            instrumentor(whose).instrument(tracer_provider=telemetry.provider)

    yield switch_on
    for whose in ("ours", "theirs"):
        if instrumentor(whose).is_instrumented_by_opentelemetry:
            instrumentor(whose).uninstrument()


def call(
    simulator: Simulator,
    name: str = "chat.completions.create",
    kind: str = "OpenAI",
    host: str = "127.0.0.1",
) -> None:
    """Make one call of CALLS, and read its answer to the end."""
    arguments, body = CALLS[name]
    simulator.answer_next(Recorded.read(SAMPLES / body))

    async def run() -> None:
        client = getattr(openai, kind)(
            base_url=simulator.base_url.replace("127.0.0.1", host),
            api_key="sk-test-1234",
            max_retries=0,
        )
        target: Any = client
        for part in name.partition(" ")[0].split("."):
            target = getattr(target, part)
        answer = target(**arguments)
        if inspect.isawaitable(answer):
            answer = await answer
        if kind == "AsyncOpenAI" and hasattr(answer, "__aenter__"):
            async with answer as stream:
                assert [event async for event in stream]
        elif kind == "OpenAI" and hasattr(answer, "__enter__"):
            with answer as stream:
                assert list(stream)
        if inspect.isawaitable(closed := client.close()):
            await closed

    asyncio.run(run())


def part_types(attributes: Any) -> list[str]:
    """Of the only message that was answered."""
    (message,) = json.loads(attributes["gen_ai.output.messages"])
    return [part["type"] for part in message["parts"]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize("name", CALLS)
def test_a_deepseek_call_is_one_span_of_ours_with_its_reasoning(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    kind: str,
    order: str,
) -> None:
    switch_on(order)
    call(deepseek, name, kind)
    (span,) = telemetry.spans
    assert part_types(span.attributes) == ["reasoning", "text"]
    assert telemetry.summary == [(OURS, "deepseek")]


@pytest.mark.parametrize("order", ["theirs", *ORDERS])
@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize("name", CALLS)
def test_an_openai_call_stays_theirs(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    kind: str,
    order: str,
) -> None:
    switch_on(order)
    call(deepseek, name, kind, host="localhost")
    assert telemetry.summary == [(THEIRS, "openai")]


@pytest.mark.parametrize("off", ORDERS)
@pytest.mark.parametrize("on", ORDERS)
def test_who_stays_on_goes_on_alone_and_at_last_the_sdk_has_its_own_methods(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    on: str,
    off: str,
) -> None:
    before = on_the_classes()
    for _ in range(2):
        switch_on(on)
        first, last = off.split(", ")
        instrumentor(first).uninstrument()
        for name in ("chat.completions.create", "responses.stream"):
            call(deepseek, name)
            call(deepseek, name, host="localhost")
        alone = {
            "ours": [(OURS, "deepseek")] * 2,
            "theirs": [(THEIRS, "openai")] * 4,
        }
        assert telemetry.summary == alone[last]
        instrumentor(last).uninstrument()
        assert all(a is b for a, b in zip(on_the_classes(), before, strict=True))


def test_their_instrumentor_is_given_back_too(
    switch_on: Callable[[str], None],
) -> None:
    owner = theirs.OpenAIInstrumentor
    before = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
    for _ in range(3):
        switch_on("ours")
        now = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
        assert all(a is not b for a, b in zip(now, before, strict=True))
        DeepSeekInstrumentor().uninstrument()
        now = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
        assert all(a is b for a, b in zip(now, before, strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_a_method_that_a_client_kept_stays_ours(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    order: str,
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    first, last = order.split(", ")
    switch_on(first)
    kept = client.chat.completions.with_raw_response.create
    switch_on(last)
    deepseek.answer_next(Recorded.read(SAMPLES / "chat_thinking.json"))
    kept(**CHAT)
    # Bound before we were there, it is beyond our reach.
    whose = {"ours": (OURS, "deepseek"), "theirs": (THEIRS, "openai")}[first]
    assert telemetry.summary == [whose]


@pytest.mark.parametrize("order", ORDERS)
def test_suppressed_a_deepseek_call_is_nobodys(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    order: str,
) -> None:
    switch_on(order)
    with suppress_instrumentation():
        call(deepseek)
    assert telemetry.summary == []


PROGRAM: Final = """
import json
import sys
from importlib.metadata import entry_points

import openai

print(json.dumps([e.name for e in entry_points(group="opentelemetry_instrumentor")]))
client = openai.OpenAI(base_url=sys.argv[1], api_key="sk-test-1234")
question = [{"role": "user", "content": "Why?"}]
for stream in (False, True):
    answer = client.chat.completions.create(
        model="deepseek-flash", messages=question, stream=stream
    )
    if stream:
        list(answer)
with client.responses.stream(model="deepseek-flash", input="Why?") as events:
    list(events)
"""


@pytest.mark.parametrize("first", ["deepseek", "openai"])
def test_under_opentelemetry_instrument_deepseek_calls_are_ours(
    deepseek: Simulator, tmp_path: Path, first: str
) -> None:
    # The first on the path is loaded first.
    for name in ("deepseek", "genai-openai"):
        if name.endswith(first):
            metadata = distribution(f"opentelemetry-instrumentation-{name}")
            (found,) = {
                Path(str(metadata.locate_file(file))).parent
                for file in metadata.files or ()
                if file.name == "entry_points.txt"
            }
            shutil.copytree(found, tmp_path / found.name)
    deepseek.answer_next(Recorded.read(SAMPLES / "chat_thinking.json"))
    deepseek.answer_next(Recorded.read(SAMPLES / "stream_thinking.sse"))
    deepseek.answer_next(Recorded.read(SAMPLES / "responses_stream.sse"))

    ran = subprocess.run(
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

    order, _, printed = ran.stdout.partition("\n")
    assert json.loads(order)[0] == first
    spans = [span["attributes"] for span in read_all(printed)]
    assert [(span["gen_ai.provider.name"], part_types(span)) for span in spans] == [
        ("deepseek", ["reasoning", "text"])
    ] * 3


def read_all(printed: str) -> list[dict[str, Any]]:
    """The JSON objects that the console exporter printed one after the other."""
    found, decoder = [], json.JSONDecoder()
    while printed := printed.lstrip():
        value, end = decoder.raw_decode(printed)
        found.append(value)
        printed = printed[end:]
    return found
