"""Calls DeepSeek with a neighbour beside us, in the neighbour's own environment.

`python -m tests.coexistence.inside NEIGHBOUR ON OFF FILE` switches on and off in these
orders ("ours,theirs") and writes to the file, as JSON, the spans of each phase.
"""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator
from opentelemetry import trace
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

QUESTION: Final = "Why is the sky blue?"
# What names the maker of the model, in the words of each.
_PROVIDERS: Final = (
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
)


class Instrumentor:
    """A neighbour that is a `BaseInstrumentor`."""

    def __init__(self, module: str, name: str = "OpenAIInstrumentor") -> None:
        self._instrumentor = getattr(import_module(module), name)()

    def on(self) -> None:
        self._instrumentor.instrument()
        assert self._instrumentor.is_instrumented_by_opentelemetry

    def off(self) -> None:
        self._instrumentor.uninstrument()


class Logfire:
    def on(self) -> None:
        self._on = import_module("logfire").instrument_openai()

    def off(self) -> None:
        with self._on:  # ends with it
            pass


class Mlflow:
    def on(self) -> None:
        import_module("mlflow").openai.autolog()

    def off(self) -> None:
        import_module("mlflow").openai.autolog(disable=True)


class PydanticAi:
    def on(self) -> None:
        import_module("pydantic_ai").Agent.instrument_all()

    def off(self) -> None:
        import_module("pydantic_ai").Agent.instrument_all(instrument=False)


def _openai(url: str) -> None:
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key="any")
    for stream in (False, True):
        answer: Any = client.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": QUESTION}],
            stream=stream,
        )
        if stream:
            list(answer)


def _langchain(url: str) -> None:
    model = import_module("langchain_deepseek").ChatDeepSeek(
        model="deepseek-flash", api_base=url, api_key="any"
    )
    model.invoke(QUESTION)
    list(model.stream(QUESTION))


def _agents(url: str) -> None:
    from openai import AsyncOpenAI

    agents = import_module("agents")
    client = AsyncOpenAI(base_url=url, api_key="any")
    model = agents.OpenAIChatCompletionsModel("deepseek-flash", client)
    agent = agents.Agent("sky", model=model)

    async def run() -> None:
        await agents.Runner.run(agent, QUESTION)
        async for _ in agents.Runner.run_streamed(agent, QUESTION).stream_events():
            pass

    asyncio.run(run())


def _pydantic_ai(url: str) -> None:
    from openai import AsyncOpenAI

    model = import_module("pydantic_ai.models.openai").OpenAIChatModel(
        "deepseek-flash",
        provider=import_module("pydantic_ai.providers.deepseek").DeepSeekProvider(
            openai_client=AsyncOpenAI(base_url=url, api_key="any")
        ),
    )
    agent = import_module("pydantic_ai").Agent(model)

    async def run() -> None:
        await agent.run(QUESTION)
        async with agent.run_stream(QUESTION) as answer:
            await answer.get_output()

    asyncio.run(run())


# Each makes two calls: one whole, one streamed.
NEIGHBOURS: Final[dict[str, tuple[Callable[[], Any], Callable[[str], None]]]] = {
    "opentelemetry-instrumentation-genai-openai": (
        lambda: Instrumentor("opentelemetry.instrumentation.genai.openai"),
        _openai,
    ),
    "opentelemetry-instrumentation-openai-v2": (
        lambda: Instrumentor("opentelemetry.instrumentation.openai_v2"),
        _openai,
    ),
    "opentelemetry-instrumentation-openai": (
        lambda: Instrumentor("opentelemetry.instrumentation.openai"),
        _openai,
    ),
    "openinference-instrumentation-openai": (
        lambda: Instrumentor("openinference.instrumentation.openai"),
        _openai,
    ),
    "logfire": (Logfire, _openai),
    "mlflow": (Mlflow, _openai),
    "opentelemetry-instrumentation-genai-langchain": (
        lambda: Instrumentor(
            "opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"
        ),
        _langchain,
    ),
    "opentelemetry-instrumentation-genai-openai-agents": (
        lambda: Instrumentor(
            "opentelemetry.instrumentation.genai.openai_agents",
            "OpenAIAgentsInstrumentor",
        ),
        _agents,
    ),
    "pydantic-ai-slim": (PydanticAi, _pydantic_ai),
}


def _globally(name: str, spans: InMemorySpanExporter) -> None:
    """Everybody's spans go through the global provider to `spans`."""
    if name == "logfire":
        import_module("logfire").configure(
            send_to_logfire=False,
            console=False,
            additional_span_processors=[SimpleSpanProcessor(spans)],
        )
    else:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        trace.set_tracer_provider(provider)


def _about_a_call(attributes: dict[str, Any]) -> bool:
    """Is this the span of a call of a model, and not of an agent or a tool?"""
    return (
        attributes.get("gen_ai.operation.name") in ("chat", "text_completion")
        or attributes.get("openinference.span.kind") == "LLM"
        or attributes.get("llm.request.type") == "chat"
        or "CHAT_MODEL" in str(attributes.get("mlflow.spanType"))
        or "request_data" in attributes
    )


def _seen(spans: list[ReadableSpan], thoughts: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "scope": span.instrumentation_scope.name,
            "name": span.name,
            "provider": next(
                (attributes[name] for name in _PROVIDERS if name in attributes), None
            ),
            "reasoning": any(
                thought[:20] in str(value)
                for thought in thoughts
                for value in attributes.values()
            ),
        }
        for span in spans
        if _about_a_call(attributes := dict(span.attributes or {}))
    ]


def _on_the_class() -> list[Any]:
    from openai.resources.chat.completions import AsyncCompletions, Completions

    return [
        vars(c)[m] for c in (Completions, AsyncCompletions) for m in ("create", "parse")
    ]


def main(name: str, on: str, off: str, file: str) -> None:
    spans = InMemorySpanExporter()
    _globally(name, spans)
    neighbour, call = NEIGHBOURS[name]
    switches = {"theirs": neighbour(), "ours": None}
    before = _on_the_class()
    phases: dict[str, Any] = {}
    with Simulator() as deepseek:

        def phase(title: str) -> None:
            spans.clear()
            asked = len(deepseek.exchanges)
            call(deepseek.base_url)
            answers = [e.answer.decode() for e in deepseek.exchanges[asked:]]
            # Of the one that is whole; the streamed one thinks the same.
            thoughts = [
                json.loads(a)["choices"][0]["message"]["reasoning_content"]
                for a in answers
                if a.startswith("{")
            ]
            phases[title] = _seen(list(spans.get_finished_spans()), thoughts)

        def ours(which: str) -> None:
            if which == "on":
                DeepSeekInstrumentor().instrument(hosts=["127.0.0.1"])
            else:
                DeepSeekInstrumentor().uninstrument()

        for who in on.split(","):
            ours("on") if who == "ours" else switches[who].on()
        phase("both")
        first, last = off.split(",")
        ours("off") if first == "ours" else switches[first].off()
        phase("one")
        ours("off") if last == "ours" else switches[last].off()
        phase("none")
    after = _on_the_class()
    phases["restored"] = all(a is b for a, b in zip(before, after, strict=True))
    Path(file).write_text(json.dumps(phases), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
