"""Composition of the assistant message: short, deterministic, from the user's words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ._argument_extraction import extract_arguments
from ._chat_request import message_text
from ._model_output import AssistantMessage
from ._question import Question
from ._question_answering import answer_question
from ._tool_results import latest_tool_results, summarize_tool_results
from ._tool_selection import select_tool_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._chat_request import ChatRequest

_SMALL_TALK = re.compile(
    r"\s*(hi|hello|hey|thanks?|thank you)\b.{0,12}$", re.IGNORECASE
)


def compose_assistant_message(request: ChatRequest) -> AssistantMessage:
    """Returns the answer to the last user message, or the tool calls it needs first."""
    question = Question(_last_user_text(request))
    results = latest_tool_results(request.messages)
    if request.prefix is None and not results:
        tool_calls = _tool_calls(request, question)
        if tool_calls:
            content = "" if request.thinking else "Let me look that up."
            return AssistantMessage(content, _call_reasoning(tool_calls), tool_calls)
    reasoning, answer = answer_question(question)
    if results:
        reasoning = _result_reasoning(len(results))
        answer = summarize_tool_results(results)
    content = _format_answer(request, question, answer)
    if request.prefix is not None:
        return AssistantMessage(_continuation(content, request.prefix))
    return AssistantMessage(content, reasoning + _effort_remark(request.effort))


def _tool_calls(request: ChatRequest, question: Question) -> list[tuple[str, str]]:
    if _SMALL_TALK.match(question.text) and request.tool_choice == "auto":
        return []
    return select_tool_calls(question, request.tools, request.tool_choice)


def _last_user_text(request: ChatRequest) -> str:
    texts = [message_text(m) for m in request.messages if m["role"] == "user"]
    return texts[-1] if texts else message_text(request.messages[-1])


def _continuation(content: str, prefix: str) -> str:
    """Returns the part of `content` that follows the caller's `prefix`."""
    if content.startswith(prefix):
        return content[len(prefix) :]
    return content if not prefix or prefix[-1].isspace() else f" {content}"


def _format_answer(request: ChatRequest, question: Question, answer: str) -> str:
    """Returns `answer`, encoded as JSON in JSON mode.

    The JSON has the keys of the example in the prompt, if there is an example.
    """
    if not request.json_mode:
        return answer
    value: dict[str, Any] = {"question": question.text, "answer": answer}
    if example := _json_example(request):
        schema = {"type": "object", "properties": _example_properties(example)}
        arguments = extract_arguments(question, schema, question.names) or {}
        fields = {**example, **arguments, **value}
        value = {key: fields[key] for key in example}
    return json.dumps(value, ensure_ascii=False, indent=2)


def _json_example(request: ChatRequest) -> dict[str, Any]:
    """Returns the JSON object in the last message that has one, or an empty dict.

    DeepSeek's guide to JSON mode recommends an example in the prompt.
    """
    decoder = json.JSONDecoder()
    for message in reversed(request.messages):
        text = message_text(message)
        for match in re.finditer(r"\{", text):
            try:
                value: dict[str, Any] = decoder.raw_decode(text, match.start())[0]
            except ValueError:
                continue
            if value:
                return value
    return {}


def _example_properties(example: dict[str, Any]) -> dict[str, Any]:
    return {key: {"type": _json_type(value)} for key, value in example.items()}


def _json_type(value: Any) -> str:
    for python_type, json_type in _JSON_TYPES.items():
        if isinstance(value, python_type):
            return json_type
    return "null"


_JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
}


def _call_reasoning(tool_calls: Sequence[tuple[str, str]]) -> str:
    tools = " and ".join(dict.fromkeys(name for name, _ in tool_calls))
    if len(tool_calls) == 1:
        return f"I do not know this myself, but {tools} does. I should call it once."
    return (
        f"The user asks about {len(tool_calls)} things. I should call {tools} once for"
        " each, and I can do so at the same time."
    )


def _result_reasoning(count: int) -> str:
    subject = "The result is" if count == 1 else f"All {count} results are"
    return f"{subject} in. I should answer from that and add nothing I do not know."


_EFFORT_REMARKS = {"low": "", "high": " A short answer will do."}
_HIGHEST_EFFORT_REMARK = (
    f"{_EFFORT_REMARKS['high']} Let me check it once more. It holds."
)


def _effort_remark(effort: str | None) -> str:
    """Returns text that makes the reasoning longer when the effort is higher."""
    return _EFFORT_REMARKS.get(effort or "high", _HIGHEST_EFFORT_REMARK)
