"""Answers a question in AWS Lambda, which freezes the process when the handler returns.

`opentelemetry-instrument python -m awslambdaric lambda_function.handler` in this folder
is the command of an image for Lambda. Needs `pip install awslambdaric`.
"""

import os

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry import trace

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])


def handler(event: dict[str, str], _context: object) -> dict[str, str | None]:
    try:
        response = deepseek.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": event["question"]}],
        )
        return {"answer": response.choices[0].message.content}
    finally:
        # Spans are otherwise sent every 5 seconds. Lambda charges for the time.
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            provider.force_flush()
