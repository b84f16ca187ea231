"""The kinds of call there are, and what each asks and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._genai import Content
from ._messages import input_messages, items, tool_definitions
from ._request import COMPLETIONS, RESPONSES
from ._response import Answer
from ._responses_api import ResponsesAnswer, responses_content

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._request import Settings


class Operation(NamedTuple):
    name: str
    settings: Settings
    content: Callable[[Mapping[str, Any]], Content]
    answer: type[Answer | ResponsesAnswer]


def _chat_content(body: Mapping[str, Any]) -> Content:
    return Content(
        inputs=input_messages(body.get("messages")),
        tools=tool_definitions(body.get("tools")),
    )


def _text_content(body: Mapping[str, Any]) -> Content:
    """The prompt, and the suffix that the answer has to reach."""
    prompt: object = body.get("prompt")
    texts = [prompt] if isinstance(prompt, str) else items(prompt)
    return Content(
        inputs=[
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": said}
                    for said in (one, body.get("suffix"))
                    if isinstance(said, str)
                ],
            }
            for one in texts
        ]
    )


OPERATIONS: Final[Mapping[str, Operation]] = {
    "chat": Operation("chat", COMPLETIONS, _chat_content, Answer),
    "text_completion": Operation("text_completion", COMPLETIONS, _text_content, Answer),
    "responses": Operation("chat", RESPONSES, responses_content, ResponsesAnswer),
}
