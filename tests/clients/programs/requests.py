from __future__ import annotations

from typing import Any

import requests

from ._http_requests import HEADERS, SKY, WEATHER, after_tool_call, text_of_line


def chat(url: str) -> str:
    path = f"{url}/chat/completions"
    first: Any = requests.post(path, json=WEATHER, headers=HEADERS).json()
    with requests.Session() as session:
        session.headers.update(HEADERS)
        second: Any = session.post(path, json=after_tool_call(first)).json()
    return str(second["choices"][0]["message"]["content"])


def stream(url: str) -> str:
    path = f"{url}/chat/completions"
    with requests.post(path, json=SKY, headers=HEADERS, stream=True) as response:
        return "".join(map(text_of_line, response.iter_lines()))
