"""Asks for a JSON object: `opentelemetry-instrument python examples/json_mode.py`."""

import json
import os

from openai import OpenAI

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
response = deepseek.chat.completions.create(
    model="deepseek-flash",
    messages=[
        {
            "role": "system",
            "content": 'Extract JSON such as {"name": "Ada", "age": 36}',
        },
        {"role": "user", "content": "Maria is 31 years old."},
    ],
    response_format={"type": "json_object"},
)
print(json.loads(response.choices[0].message.content or "{}"))
