"""Asks one question: `opentelemetry-instrument python examples/hello.py`."""

import os

from openai import OpenAI

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
response = deepseek.chat.completions.create(
    model="deepseek-flash",
    messages=[{"role": "user", "content": "Why is the sky blue?"}],
)
print(response.choices[0].message.content)
