"""Calls DeepSeek with two instrumentations, in the other package's environment.

`python -m tests.coexistence.worker PACKAGE ON OFF FILE` instruments in the order ON and
uninstruments in the order OFF, for example "deepseek,other". It writes the spans of
each phase to the file, as JSON.
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
# The attribute that names the provider, in each package's conventions.
_PROVIDERS: Final = (
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
)


class DeepSeek:
    """This package."""

    def instrument(self) -> None:
        DeepSeekInstrumentor().instrument(hosts=["127.0.0.1"])

    def uninstrument(self) -> None:
        DeepSeekInstrumentor().uninstrument()


class Instrumentor:
    """A package with a `BaseInstrumentor`."""

    def __init__(self, module: str, name: str = "OpenAIInstrumentor") -> None:
        self._instrumentor = getattr(import_module(module), name)()

    def instrument(self) -> None:
        self._instrumentor.instrument()
        assert self._instrumentor.is_instrumented_by_opentelemetry

    def uninstrument(self) -> None:
        self._instrumentor.uninstrument()


class Logfire:
    def instrument(self) -> None:
        self._instrumentation = import_module("logfire").instrument_openai()

    def uninstrument(self) -> None:
        with self._instrumentation:  # leaving the context uninstruments
            pass


class Mlflow:
    def instrument(self) -> None:
        import_module("mlflow").openai.autolog()

    def uninstrument(self) -> None:
        import_module("mlflow").openai.autolog(disable=True)


class PydanticAi:
    def instrument(self) -> None:
        import_module("pydantic_ai").Agent.instrument_all()

    def uninstrument(self) -> None:
        import_module("pydantic_ai").Agent.instrument_all(instrument=False)


def _call_openai(url: str) -> None:
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key="any")
    for stream in (False, True):
        response: Any = client.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": QUESTION}],
            stream=stream,
        )
        if stream:
            list(response)


def _call_langchain(url: str) -> None:
    model = import_module("langchain_deepseek").ChatDeepSeek(
        model="deepseek-flash", api_base=url, api_key="any"
    )
    model.invoke(QUESTION)
    list(model.stream(QUESTION))


def _call_openai_agents(url: str) -> None:
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


def _call_pydantic_ai(url: str) -> None:
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
        async with agent.run_stream(QUESTION) as result:
            await result.get_output()

    asyncio.run(run())


# Each function makes two calls, the second one streamed.
PACKAGES: Final[dict[str, tuple[Callable[[], Any], Callable[[str], None]]]] = {
    "opentelemetry-instrumentation-genai-openai": (
        lambda: Instrumentor("opentelemetry.instrumentation.genai.openai"),
        _call_openai,
    ),
    "opentelemetry-instrumentation-openai-v2": (
        lambda: Instrumentor("opentelemetry.instrumentation.openai_v2"),
        _call_openai,
    ),
    "opentelemetry-instrumentation-openai": (
        lambda: Instrumentor("opentelemetry.instrumentation.openai"),
        _call_openai,
    ),
    "openinference-instrumentation-openai": (
        lambda: Instrumentor("openinference.instrumentation.openai"),
        _call_openai,
    ),
    "logfire": (Logfire, _call_openai),
    "mlflow": (Mlflow, _call_openai),
    "opentelemetry-instrumentation-genai-langchain": (
        lambda: Instrumentor(
            "opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"
        ),
        _call_langchain,
    ),
    "opentelemetry-instrumentation-genai-openai-agents": (
        lambda: Instrumentor(
            "opentelemetry.instrumentation.genai.openai_agents",
            "OpenAIAgentsInstrumentor",
        ),
        _call_openai_agents,
    ),
    "pydantic-ai-slim": (PydanticAi, _call_pydantic_ai),
}


def _set_global_provider(name: str, spans: InMemorySpanExporter) -> None:
    """Makes the global tracer provider export to `spans`."""
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


def _is_model_call(attributes: dict[str, Any]) -> bool:
    """Returns whether the span is a model call rather than an agent or a tool."""
    return (
        attributes.get("gen_ai.operation.name") in ("chat", "text_completion")
        or attributes.get("openinference.span.kind") == "LLM"
        or attributes.get("llm.request.type") == "chat"
        or "CHAT_MODEL" in str(attributes.get("mlflow.spanType"))
        or "request_data" in attributes
    )


def _summaries(
    spans: list[ReadableSpan], reasonings: list[str]
) -> list[dict[str, Any]]:
    return [
        {
            "scope": span.instrumentation_scope.name,
            "name": span.name,
            "provider": next(
                (attributes[name] for name in _PROVIDERS if name in attributes), None
            ),
            "reasoning": any(
                reasoning[:20] in str(value)
                for reasoning in reasonings
                for value in attributes.values()
            ),
        }
        for span in spans
        if _is_model_call(attributes := dict(span.attributes or {}))
    ]


def _sdk_methods() -> list[Any]:
    from openai.resources.chat.completions import AsyncCompletions, Completions

    return [
        vars(c)[m] for c in (Completions, AsyncCompletions) for m in ("create", "parse")
    ]


def main(name: str, on: str, off: str, file: str) -> None:
    spans = InMemorySpanExporter()
    _set_global_provider(name, spans)
    other, call = PACKAGES[name]
    instrumentors: dict[str, Any] = {"deepseek": DeepSeek(), "other": other()}
    before = _sdk_methods()
    phases: dict[str, Any] = {}
    with Simulator() as deepseek:

        def phase(title: str) -> None:
            spans.clear()
            count = len(deepseek.exchanges)
            call(deepseek.base_url)
            bodies = [e.response_body.decode() for e in deepseek.exchanges[count:]]
            # Read from the JSON response; the streamed one has the same reasoning.
            reasonings = [
                json.loads(body)["choices"][0]["message"]["reasoning_content"]
                for body in bodies
                if body.startswith("{")
            ]
            phases[title] = _summaries(list(spans.get_finished_spans()), reasonings)

        for key in on.split(","):
            instrumentors[key].instrument()
        phase("both")
        first, last = off.split(",")
        instrumentors[first].uninstrument()
        phase("one")
        instrumentors[last].uninstrument()
        phase("none")
    after = _sdk_methods()
    phases["restored"] = all(a is b for a, b in zip(before, after, strict=True))
    Path(file).write_text(json.dumps(phases), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
