from __future__ import annotations

import asyncio
from typing import Any

import dspy


def lm(url: str, engine: str) -> dspy.LM:
    return dspy.LM(
        "deepseek/deepseek-flash",
        api_base=url,
        api_key="any",
        engine=engine,
        cache=False,
        num_retries=0,
    )


def get_weather(city: str) -> str:
    """Weather of a city"""
    return f"18 degrees in {city}"


def chat(url: str) -> str:
    answers = [
        lm(url, engine)("Why is the sky blue?") for engine in ("lm15", "litellm")
    ]
    agent = dspy.ReAct("question -> answer", tools=[get_weather], max_iters=2)
    with dspy.context(lm=lm(url, "lm15")):
        try:
            agent(question="How is the weather in Paris?")
        except Exception as error:  # noqa: BLE001  # the simulator's answer is plain text
            answers.append(type(error).__name__)
    return str(answers)


def stream(url: str) -> str:
    async def read(engine: str) -> list[Any]:
        program = dspy.streamify(dspy.Predict("question -> answer"))
        with dspy.context(lm=lm(url, engine)):
            try:
                return [c async for c in program(question="Why is the sky blue?")]
            except Exception as error:  # noqa: BLE001  # as above
                return [type(error).__name__]

    return str([asyncio.run(read(engine)) for engine in ("lm15", "litellm")])


def chat_without_thinking(url: str) -> str:
    return str(asyncio.run(lm(url, "lm15").acall("Why is the sky blue?")))
