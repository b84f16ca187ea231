"""Facts about the recorded content: messages, reasoning and tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ._cell import in_part, no, of_all, yes

if TYPE_CHECKING:
    from ._cell import Cell, Runs
    from ._record import Call

# The only calls that are made with the default, too.
CALLS_WITH_DEFAULT: Final = ("chat", "stream", "tools")
_CALLS: Final = {
    "chat": "a call",
    "stream": "a stream",
    "async_chat": "an asynchronous call",
    "async_stream": "an asynchronous stream",
}
_CALLS_WITH_REASONING: Final = {"chat": "a call", "stream": "a stream"}
_CALLS_WITH_TOOLS: Final = {"tools": "a call", "stream_tools": "a stream"}


def questions_and_answers(runs: Runs) -> Cell:
    return of_all(
        (title, _question_and_answer(runs.content[name]))
        for name, title in _CALLS.items()
    )


def _question_and_answer(call: Call) -> Cell:
    missing = [
        name
        for name, text in (("question", _question(call)), ("answer", _answer(call)))
        if not call.has_text(text)
    ]
    if len(missing) == 1:
        return in_part(f"no {missing[0]}")
    return no() if missing else yes()


def _question(call: Call) -> str:
    return str(call.exchange.request_json["messages"][-1]["content"])


def _answer(call: Call) -> str:
    text = call.response.text
    if not text:
        raise ValueError(f"the simulator has not answered {call.name}")
    return text


def no_content_by_default(runs: Runs) -> Cell:
    calls = [runs.default[name] for name in CALLS_WITH_DEFAULT]
    if not all(call.spans for call in calls):
        return no("no span")
    recorded = {
        kind: None
        for call in calls
        for kind, text in (
            ("question", _question(call)),
            ("answer", call.response.text),
            ("reasoning", call.response.reasoning),
            *(("tool call", arguments) for _, arguments in call.response.tool_calls),
        )
        if text and (call.has_text(text) or _has_arguments(call, text))
    }
    return no(f"records {', '.join(recorded)}") if recorded else yes()


def reasoning(runs: Runs) -> Cell:
    return of_all(
        (
            title,
            yes()
            if runs.content[name].has_text(runs.content[name].response.reasoning)
            else no(),
        )
        for name, title in _CALLS_WITH_REASONING.items()
    )


def tool_definitions(runs: Runs) -> Cell:
    return of_all(
        (title, _tool_definitions(runs.content[name]))
        for name, title in _CALLS_WITH_TOOLS.items()
    )


def _tool_definitions(call: Call) -> Cell:
    (tool,) = call.exchange.request_json["tools"]
    function = tool["function"]
    has_description = call.has_text(function["description"])
    # The value of `required` is the name of the parameter.
    has_parameters = any(
        call.has_value(name) for name in function["parameters"]["required"]
    )
    if has_description and has_parameters:
        return yes()
    return in_part("no parameters") if has_description else no()


def tool_calls(runs: Runs) -> Cell:
    return of_all(
        (title, _tool_calls(runs.content[name]))
        for name, title in _CALLS_WITH_TOOLS.items()
    )


def _tool_calls(call: Call) -> Cell:
    if not call.response.tool_calls:
        raise ValueError(f"the simulator has not called a tool in {call.name}")
    for name, arguments in call.response.tool_calls:
        if not (call.has_value(name) and _has_arguments(call, arguments)):
            return no()
    return yes()


def _has_arguments(call: Call, arguments: str) -> bool:
    if not arguments.startswith("{"):
        return False
    return all(call.has_value(str(value)) for value in json.loads(arguments).values())


def tool_results(runs: Runs) -> Cell:
    call = runs.content["tools_follow_up"]
    message = call.exchange.request_json["messages"][-1]
    if message["role"] != "tool":
        raise ValueError("the last message is not the result of a tool")
    return yes() if call.has_text(message["content"]) else no()
