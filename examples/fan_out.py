"""Asks many questions at once, with a progress bar.

`opentelemetry-instrument python examples/fan_out.py`; needs `pip install tqdm`.
"""

import asyncio
import os

from openai import AsyncOpenAI
from tqdm.asyncio import tqdm

CITIES = ("Amsterdam", "Berlin", "Cairo", "Delhi", "Edinburgh", "Florence")

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = AsyncOpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
limit = asyncio.Semaphore(3)


async def describe(city: str) -> str:
    async with limit:
        response = await deepseek.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": f"Describe {city} in a sentence."}],
        )
    return response.choices[0].message.content or ""


async def main() -> None:
    for sentence in await tqdm.gather(*map(describe, CITIES)):
        print(sentence)


asyncio.run(main())
