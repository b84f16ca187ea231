"""An ASGI application that makes one DeepSeek call for each request."""

from __future__ import annotations

import os
from typing import Any

from openai import AsyncOpenAI

client = AsyncOpenAI()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await client.chat.completions.create(
        model="deepseek-flash", messages=[{"role": "user", "content": scope["path"]}]
    )
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
