# ruff: noqa: T201  # written as users write programs
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"] + "/beta", api_key="any")
response = client.completions.create(
    model="deepseek-v4-pro",
    prompt="def fib(a):",
    suffix="    return fib(a-1) + fib(a-2)",
    max_tokens=128,
)
print(response.choices[0].text)
