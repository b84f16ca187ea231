from __future__ import annotations

from anthropic import Anthropic

QUESTION = {"role": "user", "content": "How is the weather in Paris?"}
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def ask(url: str, **options: object) -> str:
    messages = [QUESTION]
    with Anthropic(base_url=f"{url}/anthropic", api_key="any") as client:
        while True:
            answer = client.messages.create(
                model="deepseek-flash",
                max_tokens=1000,
                messages=messages,
                tools=[WEATHER],
                **options,
            )
            calls = [block for block in answer.content if block.type == "tool_use"]
            if not calls:
                return "".join(b.text for b in answer.content if b.type == "text")
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": call.id,
                    "content": f"18 degrees in {call.input['city']}",
                }
                for call in calls
            ]
            messages += [
                {"role": "assistant", "content": answer.content},
                {"role": "user", "content": results},
            ]


def chat(url: str) -> str:
    return ask(url)


def chat_without_thinking(url: str) -> str:
    return ask(url, thinking={"type": "disabled"})


def stream(url: str) -> str:
    with (
        Anthropic(base_url=f"{url}/anthropic", api_key="any") as client,
        client.messages.stream(
            model="deepseek-flash",
            max_tokens=1000,
            messages=[{"role": "user", "content": "Why is the sky blue?"}],
        ) as events,
    ):
        return "".join(events.text_stream)
