# ruff: noqa: T201  # written as users write programs
"""Runs two cells of a notebook, and interrupts the kernel during the first one.

https://jupyter-client.readthedocs.io/en/stable/api/client.html
https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
"""

from __future__ import annotations

from typing import Any

from jupyter_client.manager import start_new_kernel

FIRST_CELL = """
import os
from openai import OpenAI

client = OpenAI(
    api_key=os.environ["DEEPSEEK_API_KEY"], base_url=os.environ["DEEPSEEK_BASE_URL"]
)

def ask(question):
    stream = client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": question}],
        extra_body={"thinking": {"type": "disabled"}},
        stream=True,
    )
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)

ask("Why is the sky blue?")
"""
SECOND_CELL = 'ask("What is the capital of France?")'


def interrupt(message: dict[str, Any]) -> None:
    """Interrupts the kernel at the first text of a cell, as the stop button does."""
    if message["msg_type"] == "stream" and not interrupted_texts:
        interrupted_texts.append(message["content"]["text"])
        manager.interrupt_kernel()


def print_text(message: dict[str, Any]) -> None:
    if message["msg_type"] == "stream":
        print(message["content"]["text"], end="")


interrupted_texts: list[str] = []
# The kernel spec starts the kernel under `opentelemetry-instrument`.
manager, client = start_new_kernel(kernel_name="opentelemetry")
reply = client.execute_interactive(FIRST_CELL, output_hook=interrupt, timeout=60)
print(f"{interrupted_texts[0][:3]} …", reply["content"]["ename"])
reply = client.execute_interactive(SECOND_CELL, output_hook=print_text, timeout=60)
print(f"\n{reply['content']['status']}")
client.stop_channels()
manager.shutdown_kernel()
