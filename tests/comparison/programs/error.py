# ruff: noqa: T201  # written as users write programs
import os

from openai import APIStatusError, OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
try:
    client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": "How many r's are in strawberry?"}],
    )
except APIStatusError as error:
    print(error)
