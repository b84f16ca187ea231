"""Shows the reasoning and the answer as they arrive.

`opentelemetry-instrument python examples/stream.py`
"""

import os

from openai import OpenAI

GREY, RESET = "\033[90m", "\033[0m"

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
stream = deepseek.chat.completions.create(
    model="deepseek-flash",
    messages=[{"role": "user", "content": "Why is the sky blue?"}],
    stream=True,
)
is_reasoning = False
for chunk in stream:
    for choice in chunk.choices:
        reasoning = getattr(choice.delta, "reasoning_content", None)
        if is_reasoning != bool(reasoning):
            print(GREY if reasoning else f"{RESET}\n", end="")
            is_reasoning = bool(reasoning)
        print(reasoning or choice.delta.content or "", end="", flush=True)
print(RESET)
