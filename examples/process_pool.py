"""Calls DeepSeek in the processes of a pool, each with its own traces.

`opentelemetry-instrument python examples/process_pool.py`
"""

import os
from concurrent.futures import ProcessPoolExecutor

from openai import OpenAI

CITIES = ("Amsterdam", "Berlin", "Cairo", "Delhi")


def describe(city: str) -> str | None:
    url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
    with OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"]) as deepseek:
        response = deepseek.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": f"Describe {city} in a sentence."}],
        )
    return response.choices[0].message.content


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        for sentence in pool.map(describe, CITIES):
            print(sentence)
