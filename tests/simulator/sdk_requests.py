"""DeepSeek asked through the openai SDK."""

from __future__ import annotations

from tests.simulator.http_requests import OFF


def ask(client, *messages, model="deepseek-flash", **kwargs):
    messages = [
        {"role": "user", "content": m} if isinstance(m, str) else m for m in messages
    ]
    return client.chat.completions.create(model=model, messages=messages, **kwargs)


def plain(client, *messages, **kwargs):
    return ask(client, *messages, extra_body={"thinking": OFF}, **kwargs)


def said(completion):
    return completion.choices[0].message.content
