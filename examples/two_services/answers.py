"""A service that asks DeepSeek.

`OTEL_SERVICE_NAME=answers opentelemetry-instrument uvicorn
examples.two_services.answers:app --port 8001`; needs `pip install fastapi uvicorn
opentelemetry-instrumentation-fastapi`.
"""

import os

from fastapi import FastAPI
from openai import AsyncOpenAI

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = AsyncOpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
app = FastAPI()


@app.get("/answer")
async def answer(question: str) -> str:
    response = await deepseek.chat.completions.create(
        model="deepseek-flash", messages=[{"role": "user", "content": question}]
    )
    return response.choices[0].message.content or ""
