"""Requests without an SDK, and the key structure of their responses."""

from __future__ import annotations

import http.client
import itertools
import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

API_KEY = "sk-of-the-test-1234"
GREETING = {"role": "user", "content": "Hi"}
TWO_CITIES = {
    "role": "user",
    "content": "What is the weather in Hangzhou and Beijing?",
}
THINKING_DISABLED = {"type": "disabled"}
WEATHER_TOOL = {
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

# The start of the error for a value of the wrong type.
TYPE_ERROR = "Failed to deserialize the JSON body into the target type: "


def function_tool(**function):
    return {"type": "function", "function": {"name": "a", **function}}


@dataclass
class HttpResponse:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def events(self):
        """The parsed data of all events except [DONE]."""
        data = re.findall(rb"^data: (.*)$", self.body, re.MULTILINE)
        return [json.loads(item) for item in data if item != b"[DONE]"]

    @property
    def message(self):
        return self.json["error"]["message"]


def send_request(
    base_url, path="/chat/completions", body=None, *, method="POST", **headers
):
    """Sends one request with http.client.

    `body` is bytes, or a value to encode as JSON. A header of None is not sent.
    """
    url = urlsplit(base_url)
    all_headers = {"authorization": f"Bearer {API_KEY}"}
    all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        all_headers.setdefault("content-type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent_headers = {k: value for k, value in all_headers.items() if value is not None}
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    try:
        connection.request(method, url.path + path, body, sent_headers)
        response = connection.getresponse()
        response_headers = {name.lower(): v for name, v in response.getheaders()}
        return HttpResponse(response.status, response_headers, response.read())
    finally:
        connection.close()


def send_chat(base_url, *messages, path="/chat/completions", **fields):
    body = {"model": "deepseek-flash", "messages": messages or [GREETING], **fields}
    return send_request(base_url, path, body)


def key_structure(value):
    """Returns the keys in their order, with type names for values.

    A list is represented by its first item, and null by None.
    """
    match value:
        case dict():
            return [(key, key_structure(item)) for key, item in value.items()]
        case list():
            return [key_structure(value[0])] if value else []
        case None:
            return None
        case _:
            return type(value).__name__


def key_structures(values):
    """Returns the key structures of `values`, without consecutive duplicates."""
    structures = (key_structure(value) for value in values)
    return [structure for structure, _ in itertools.groupby(structures)]
