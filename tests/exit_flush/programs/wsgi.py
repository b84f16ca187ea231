"""A WSGI application that makes one DeepSeek call for each request."""

from __future__ import annotations

import os
from typing import Any

from openai import OpenAI

client = OpenAI()


def app(environ: Any, start_response: Any) -> list[bytes]:
    client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": environ["PATH_INFO"]}],
    )
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
