from __future__ import annotations

import asyncio
from typing import Any

import litellm

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
WEATHER = [{"role": "user", "content": "How is the weather in Paris?"}]
SKY = [{"role": "user", "content": "Why is the sky blue?"}]


def options(url: str) -> dict[str, Any]:
    return {"model": "deepseek/deepseek-flash", "api_base": url, "api_key": "any"}


def chat(url: str) -> str:
    response: Any = litellm.completion(messages=WEATHER, tools=[TOOL], **options(url))
    message = response.choices[0].message
    (call,) = message.tool_calls
    messages = [
        *WEATHER,
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"},
    ]
    response = litellm.completion(messages=messages, tools=[TOOL], **options(url))
    return str(response.choices[0].message.content)


def stream(url: str) -> str:
    async def read() -> str:
        chunks: Any = await litellm.acompletion(
            messages=SKY, stream=True, **options(url)
        )
        return "".join([c.choices[0].delta.content or "" async for c in chunks])

    chunks: Any = litellm.completion(messages=SKY, stream=True, **options(url))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return text + asyncio.run(read())


def chat_without_thinking(url: str) -> str:
    arguments = options(url)
    router = litellm.Router(
        model_list=[
            {
                "model_name": "broken",
                "litellm_params": arguments | {"model": "deepseek/no-such-model"},
            },
            {"model_name": "working", "litellm_params": arguments},
        ],
        fallbacks=[{"broken": ["working"]}],
        num_retries=0,
    )
    router.completion(model="broken", messages=SKY)
    litellm.text_completion(prompt="Why is the sky blue?", **arguments)
    litellm.responses(input="Why is the sky blue?", **arguments)
    # Through the openai SDK.
    response: Any = litellm.completion(
        messages=SKY, **arguments | {"model": "openai/deepseek-flash"}
    )
    return str(response.choices[0].message.content)
