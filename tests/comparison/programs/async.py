# ruff: noqa: T201  # written as users write programs
import asyncio
import os

from openai import AsyncOpenAI


async def main() -> None:
    client = AsyncOpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
    response = await client.chat.completions.create(
        model="deepseek-v4-pro",
        messages=[
            {"role": "system", "content": "You know the contract by heart."},
            {"role": "user", "content": "Which clause is about early termination?"},
        ],
        extra_body={"thinking": {"type": "disabled"}},
    )
    print(response.choices[0].message.content)


asyncio.run(main())
