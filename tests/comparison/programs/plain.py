# ruff: noqa: T201  # written as users write programs
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
response = client.chat.completions.create(
    model="deepseek-flash",
    messages=[
        {"role": "system", "content": "You count letters."},
        {"role": "user", "content": "How many r's are in strawberry?"},
    ],
)
print(response.choices[0].message.content)
