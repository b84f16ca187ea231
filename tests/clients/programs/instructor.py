from __future__ import annotations

from typing import Any

import instructor
from openai import OpenAI
from pydantic import BaseModel


class Weather(BaseModel):
    city: str


REQUEST: dict[str, Any] = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "How is the weather in Paris?"}],
    "response_model": Weather,
    # Forces a tool, which DeepSeek refuses with thinking.
    "extra_body": {"thinking": {"type": "disabled"}},
}


def client(url: str) -> instructor.Instructor:
    return instructor.from_openai(OpenAI(base_url=url, api_key="any"))


def chat(url: str) -> str:
    return str(client(url).create(**REQUEST))


def stream(url: str) -> str:
    return str(list(client(url).create_partial(**REQUEST))[-1])
