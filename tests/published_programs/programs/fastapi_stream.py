"""FastAPI streams DeepSeek's answer to the client.

https://fastapi.tiangolo.com/advanced/custom-response/#streamingresponse
https://www.uvicorn.org/#config-and-server-instances
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

app = FastAPI()
client = AsyncOpenAI(
    api_key=os.environ["DEEPSEEK_API_KEY"], base_url=os.environ["DEEPSEEK_BASE_URL"]
)


async def answer(question: str) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": question}],
        extra_body={"thinking": {"type": "disabled"}},
        stream=True,
    )
    async for chunk in stream:
        yield chunk.choices[0].delta.content or ""


@app.get("/answer")
async def get_answer(question: str) -> StreamingResponse:
    return StreamingResponse(answer(question), media_type="text/plain")


@app.post("/stop")
async def stop() -> None:
    server.should_exit = True


server = uvicorn.Server(
    uvicorn.Config(app, port=int(os.environ["PORT"]), log_level="warning")
)
server.run()
