"""The texts of a conversation that MLflow's list shows as request and response."""

from __future__ import annotations

import json
from typing import Any, cast

from opentelemetry.exporter.mlflow._mapping._chat import message_text
from opentelemetry.exporter.mlflow._mapping._json import decode

Json = dict[str, Any]

# An MLflow server shows a tenth of it.
MAX_PREVIEW_LENGTH = 10_000


def question_of(inputs: Any) -> str:
    """The last text of the user in OpenAI's chat request; "" if there is none.

    `inputs` is `mlflow.spanInputs`, or its value before encoding.
    """
    messages = _list_in(_decode(inputs), "messages")
    texts = (_content(message) for message in reversed(messages) if _is_user(message))
    return next(filter(None, texts), "")


def answer_of(outputs: Any) -> str:
    """The text of the first choice in OpenAI's chat response; "" if there is none.

    `outputs` is `mlflow.spanOutputs`, or its value before encoding.
    """
    choices = _list_in(_decode(outputs), "choices")
    return _content(_field(choices[0], "message")) if choices else ""


def _field(value: object, name: str) -> object:
    return cast("Json", value).get(name) if isinstance(value, dict) else None


def _list_in(value: object, name: str) -> list[Any]:
    items = _field(value, name)
    if isinstance(items, list):
        return items  # pyright: ignore[reportUnknownVariableType]  # of anything
    return []


def _is_user(message: object) -> bool:
    return _field(message, "role") == "user"


def _content(message: object) -> str:
    content = _field(message, "content")
    # Nearly always true, and much faster than message_text().
    return content if isinstance(content, str) else message_text(message)


def with_question(inputs: Any, question: str) -> Json | None:
    """A chat request of system messages only, with the question of a call beneath.

    None: `inputs` is not a chat request, or has a message of another role.
    """
    request = _decode(inputs)
    messages = _list_in(request, "messages")
    if not messages or any(_field(message, "role") != "system" for message in messages):
        return None
    return {**request, "messages": [*messages, {"role": "user", "content": question}]}


def preview(
    document: str | None, role: str, max_length: int = MAX_PREVIEW_LENGTH
) -> str | None:
    """The preview that MLflow's client makes of a root span's inputs or outputs.

    Returns the last message of `role`, or of any role, or else the document.
    """
    if document is None:
        return None
    match json.loads(document):
        case {"messages": [_, *_] as messages}:
            pass
        case {"choices": [{"message": message}, *_]}:
            messages = [message]
        case {"input": [_, *_] as messages} | {"output": [_, *_] as messages}:
            pass
        case _:
            messages = []
    complete = [
        cast("Json", message)
        for message in messages
        if isinstance(message, dict) and "role" in message and "content" in message
    ]
    with_role = [message for message in complete if message["role"] == role]
    text = _text((with_role or complete)[-1]["content"]) if complete else ""
    return cut(text or document, max_length)


def cut(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else text[: max_length - 3] + "..."


def _text(content: Any) -> str:
    match content:
        case str():
            return content
        case [str(first), *_]:
            return first
        case [*parts]:
            texts = [
                cast("Json", part).get("text")
                for part in parts
                if isinstance(part, dict)
            ]
            return next((text for text in texts if isinstance(text, str)), "")
        case _:
            return ""


def _decode(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return decode(value)
    except (RecursionError, ValueError):
        return None
