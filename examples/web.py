"""Streams DeepSeek's answer to a browser.

`opentelemetry-instrument uvicorn examples.web:app`, and then
`curl http://127.0.0.1:8000/answer?question=Why+is+the+sky+blue%3F`. Needs
`pip install fastapi uvicorn opentelemetry-instrumentation-fastapi`; the last package
records the request of the browser as the root of the trace.
"""

import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = AsyncOpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
app = FastAPI()


@app.get("/answer")
async def answer(question: str) -> StreamingResponse:
    stream = await deepseek.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": question}],
        stream=True,
    )

    async def texts() -> AsyncIterator[str]:
        async for chunk in stream:
            for choice in chunk.choices:
                yield choice.delta.content or ""

    return StreamingResponse(texts(), media_type="text/plain")
