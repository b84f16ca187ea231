"""What the simulator says: short, sensible and always the same for the same words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ._argument_extraction import arguments
from ._chat_request import text_of
from ._model_output import Reply
from ._question import Question
from ._question_answering import thought_on
from ._tool_results import results_since_question, sentences_of
from ._tool_selection import calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._chat_request import ChatRequest

_SMALL_TALK = re.compile(
    r"\s*(hi|hello|hey|thanks?|thank you)\b.{0,12}$", re.IGNORECASE
)


def reply_to(request: ChatRequest) -> Reply:
    """The answer, or the tool calls that come before it."""
    question = Question(_last_question(request))
    results = results_since_question(request.messages)
    if request.prefix is None and not results:
        wanted = _wanted(request, question)
        if wanted:
            before = "" if request.thinking else "Let me look that up."
            return Reply(before, _on_calls(wanted), wanted)
    reasoning, answer = thought_on(question)
    if results:
        reasoning, answer = _on_results(len(results)), sentences_of(results)
    content = _formatted(request, question, answer)
    if request.prefix is not None:
        return Reply(_continued(content, request.prefix))
    return Reply(content, reasoning + _care(request.effort))


def _wanted(request: ChatRequest, question: Question) -> list[tuple[str, str]]:
    if _SMALL_TALK.match(question.text) and request.tool_choice == "auto":
        return []
    return calls(question, request.tools, request.tool_choice)


def _last_question(request: ChatRequest) -> str:
    texts = [text_of(m) for m in request.messages if m["role"] == "user"]
    return texts[-1] if texts else text_of(request.messages[-1])


def _continued(content: str, prefix: str) -> str:
    """Only what comes after the words the caller put into the model's mouth."""
    if content.startswith(prefix):
        return content[len(prefix) :]
    return content if not prefix or prefix[-1].isspace() else f" {content}"


def _formatted(request: ChatRequest, question: Question, answer: str) -> str:
    """`answer`, in JSON mode as JSON: with the keys of an example, if one was given."""
    if not request.json_mode:
        return answer
    value: dict[str, Any] = {"question": question.text, "answer": answer}
    if example := _example(request):
        schema = {"type": "object", "properties": _schema(example)}
        said = arguments(question, schema, question.names) or {}
        known = {**example, **said, **value}
        value = {key: known[key] for key in example}
    return json.dumps(value, ensure_ascii=False, indent=2)


def _example(request: ChatRequest) -> dict[str, Any]:
    """The last JSON object in the prompts: DeepSeek's guide says to give one."""
    decoder = json.JSONDecoder()
    for message in reversed(request.messages):
        text = text_of(message)
        for found in re.finditer(r"\{", text):
            try:
                value: dict[str, Any] = decoder.raw_decode(text, found.start())[0]
            except ValueError:
                continue
            if value:
                return value
    return {}


def _schema(example: dict[str, Any]) -> dict[str, Any]:
    return {key: {"type": _kind(value)} for key, value in example.items()}


def _kind(value: Any) -> str:
    for kind, name in _KINDS.items():
        if isinstance(value, kind):
            return name
    return "null"


_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
}


def _on_calls(wanted: Sequence[tuple[str, str]]) -> str:
    tools = " and ".join(dict.fromkeys(name for name, _ in wanted))
    if len(wanted) == 1:
        return f"I do not know this myself, but {tools} does. I should call it once."
    return (
        f"The user asks about {len(wanted)} things. I should call {tools} once for"
        " each, and I can do so at the same time."
    )


def _on_results(count: int) -> str:
    what = "The result is" if count == 1 else f"All {count} results are"
    return f"{what} in. I should answer from that and add nothing I do not know."


_CARE = {"low": "", "high": " A short answer will do."}
_MORE = f"{_CARE['high']} Let me check it once more. It holds."


def _care(effort: str | None) -> str:
    """More effort is more thought."""
    return _CARE.get(effort or "high", _MORE)
