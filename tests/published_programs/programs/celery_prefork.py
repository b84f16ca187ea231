# ruff: noqa: T201  # written as users write programs
"""A Celery task that asks DeepSeek.

https://docs.celeryq.dev/en/stable/getting-started/first-steps-with-celery.html
https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.filesystem.html
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from openai import OpenAI

folder = Path(os.environ["CELERY_FOLDER"])
app = Celery(
    "celery_prefork", broker="filesystem://", backend=(folder / "results").as_uri()
)
app.conf.broker_transport_options = {
    "data_folder_in": folder / "messages",
    "data_folder_out": folder / "messages",
    "control_folder": folder / "control",
}
client = OpenAI(
    api_key=os.environ["DEEPSEEK_API_KEY"], base_url=os.environ["DEEPSEEK_BASE_URL"]
)


@app.task
def ask(question: str) -> str:
    response = client.chat.completions.create(
        model="deepseek-flash", messages=[{"role": "user", "content": question}]
    )
    return response.choices[0].message.content


if __name__ == "__main__":
    questions = ["What is the capital of France?", "What is the capital of Italy?"]
    results = [ask.delay(question) for question in questions]
    for result in results:
        print(result.get(timeout=60))
