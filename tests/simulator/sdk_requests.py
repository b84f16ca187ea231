"""Chat requests through the openai SDK."""

from __future__ import annotations

from tests.simulator.http_requests import THINKING_DISABLED


def create_chat(client, *messages, model="deepseek-flash", **kwargs):
    """Creates a completion. A string among `messages` is the text of a user message."""
    messages = [
        {"role": "user", "content": m} if isinstance(m, str) else m for m in messages
    ]
    return client.chat.completions.create(model=model, messages=messages, **kwargs)


def create_chat_without_thinking(client, *messages, **kwargs):
    extra_body = {"thinking": THINKING_DISABLED}
    return create_chat(client, *messages, extra_body=extra_body, **kwargs)


def content_of(completion):
    return completion.choices[0].message.content
