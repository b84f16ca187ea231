"""Leaves a stream open in a worker: `forked_stream.py END`."""

from __future__ import annotations

import sys
import time
from multiprocessing import get_context
from typing import TYPE_CHECKING

from openai import OpenAI

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

streams = []


def ask(is_ready: Event) -> None:
    stream = OpenAI().chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": "Hi"}],
        stream=True,
    )
    next(stream)
    streams.append(stream)
    is_ready.set()
    if sys.argv[1] == "terminate":
        time.sleep(60)


if __name__ == "__main__":
    context = get_context("fork")
    is_ready = context.Event()
    process = context.Process(target=ask, args=(is_ready,))
    process.start()
    is_ready.wait()
    if sys.argv[1] == "terminate":
        process.terminate()
    process.join()
