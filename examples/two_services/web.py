"""A service that calls the other one; both are in one trace.

`OTEL_SERVICE_NAME=web opentelemetry-instrument uvicorn
examples.two_services.web:app --port 8000`. Needs `pip install fastapi uvicorn httpx
opentelemetry-instrumentation-fastapi opentelemetry-instrumentation-httpx`.
"""

import os

import httpx
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

answers_url = os.environ.get("ANSWERS_URL", "http://127.0.0.1:8001")
app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
async def index(question: str = "Why is the sky blue?") -> str:
    async with httpx.AsyncClient(base_url=answers_url, timeout=60) as client:
        response = await client.get("/answer", params={"question": question})
        response.raise_for_status()
        return str(response.json())
