# ruff: noqa: T201  # a program as users write them
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
answer = client.chat.completions.create(
    model="deepseek-flash",
    messages=[
        {"role": "system", "content": "You count letters."},
        {"role": "user", "content": "How many r's are in strawberry?"},
    ],
)
print(answer.choices[0].message.content)
