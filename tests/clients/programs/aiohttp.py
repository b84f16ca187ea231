from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from ._http_requests import HEADERS, SKY, WEATHER, after_tool_call, text_of_line


def chat(url: str) -> str:
    async def run() -> str:
        async with aiohttp.ClientSession(url, headers=HEADERS) as session:
            async with session.post("/chat/completions", json=WEATHER) as response:
                first: Any = await response.json()
            body = after_tool_call(first)
            async with session.post("/chat/completions", json=body) as response:
                second: Any = await response.json()
            return str(second["choices"][0]["message"]["content"])

    return asyncio.run(run())


def stream(url: str) -> str:
    async def run() -> str:
        path = f"{url}/chat/completions"
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.post(path, json=SKY) as response,
        ):
            return "".join([text_of_line(line) async for line in response.content])

    return asyncio.run(run())
