# ruff: noqa: T201  # written as users write programs
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
chunks = client.chat.completions.create(
    model="deepseek-flash",
    messages=[{"role": "user", "content": "How many r's are in strawberry?"}],
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in chunks:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")
