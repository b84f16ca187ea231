"""The second of two services; it calls DeepSeek."""

import os
import sys

import uvicorn
from fastapi import FastAPI, Request
from openai import OpenAI

app = FastAPI()
client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")


@app.post("/answer")
async def answer(request: Request) -> str:
    question = (await request.body()).decode()
    return ask(question)


def ask(question: str) -> str:
    response = client.chat.completions.create(
        model="deepseek-v4-pro",
        messages=[{"role": "user", "content": question}],
        extra_body={"thinking": {"type": "disabled"}},
    )
    return response.choices[0].message.content


uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
