from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import httpx2

from ._http_requests import HEADERS, SKY, WEATHER, after_tool_call, text_of_line


def chat(url: str) -> str:
    texts: list[str] = []
    for module in (httpx, httpx2):
        with module.Client(base_url=url, headers=HEADERS) as client:
            first: Any = client.post("/chat/completions", json=WEATHER).json()
            body = json.dumps(after_tool_call(first))
            second: Any = client.post(
                "/chat/completions",
                content=body,
                headers={"content-type": "application/json"},
            ).json()
            texts.append(second["choices"][0]["message"]["content"])
    return str(texts)


def stream(url: str) -> str:
    path = f"{url}/chat/completions"

    async def read() -> str:
        async with (
            httpx.AsyncClient(headers=HEADERS) as client,
            client.stream("POST", path, json=SKY) as response,
        ):
            return "".join(
                [text_of_line(line) async for line in response.aiter_lines()]
            )

    with httpx.stream("POST", path, json=SKY, headers=HEADERS) as response:
        text = "".join(map(text_of_line, response.iter_lines()))
    return text + asyncio.run(read())
