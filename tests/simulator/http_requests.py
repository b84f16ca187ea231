"""Requests without an SDK in between, and the shape of what comes back."""

from __future__ import annotations

import http.client
import itertools
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

HI = {"role": "user", "content": "Hi"}
CITIES = {"role": "user", "content": "What is the weather in Hangzhou and Beijing?"}
OFF = {"type": "disabled"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get weather of a location",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}

# How a refusal begins of what is of a wrong type.
UNREAD = "Failed to deserialize the JSON body into the target type: "


def tool(**function):
    return {"type": "function", "function": {"name": "a", **function}}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def events(self):
        """What stands after `data: `, parsed but for [DONE]."""
        lines = [line for line in self.body.split(b"\n\n") if line.startswith(b"data")]
        data = [line.removeprefix(b"data: ") for line in lines]
        return [json.loads(one) for one in data if one != b"[DONE]"]

    @property
    def message(self):
        return self.json["error"]["message"]


def ask(base_url, path="/chat/completions", body=None, *, method="POST", **headers):
    """One request, by http.client. `body`: bytes, or what becomes JSON."""
    url = urlsplit(base_url)
    given = {"authorization": "Bearer sk-of-the-test-1234"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        given.setdefault("content-type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    wire = {name: value for name, value in given.items() if value is not None}
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    try:
        connection.request(method, url.path + path, body, wire)
        response = connection.getresponse()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lower, response.read())
    finally:
        connection.close()


def chat(base_url, *messages, path="/chat/completions", **fields):
    body = {"model": "deepseek-flash", "messages": messages or [HI], **fields}
    return ask(base_url, path, body)


def shape(value):
    """Keys in their order, and null where it is null; lists by their first item."""
    match value:
        case dict():
            return [(key, shape(item)) for key, item in value.items()]
        case list():
            return [shape(value[0])] if value else []
        case None:
            return None
        case _:
            return type(value).__name__


def shapes(values):
    """Their shapes, without immediate repetitions."""
    return [one for one, _ in itertools.groupby(shape(value) for value in values)]
