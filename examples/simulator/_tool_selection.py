"""Which of the given tools a question asks for, and with which arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._argument_extraction import arguments, kind_of
from ._json import fields, items
from ._question import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._question import Question

_EVERYDAY = words_of(
    "a an and are at by can do does for from get give has have how i in is it its look"
    " me my of on or return returns show that the this to up use used what which will"
    " with you your current given fetch list tool function value"
)


class _Tool:
    """A function the caller offers."""

    def __init__(self, function: Mapping[str, Any]) -> None:
        self.name = str(function["name"])
        self.schema = fields(function.get("parameters"))
        self.properties = fields(self.schema.get("properties"))
        self.required = [str(name) for name in items(self.schema.get("required"))]
        self._name_words = words_of(self.name)
        self._words = words_of(function.get("description") or "")
        self._parameter_words = words_of(" ".join(self.properties))

    def likeness(self, question: Question) -> int:
        """How much of the question is about this tool; 0 if nothing is."""
        asked = question.words - _EVERYDAY
        return (
            4 * len(self._name_words & asked)
            + 2 * len(self._words & asked)
            + len(self._parameter_words & asked)
        )

    def fits(self, question: Question) -> bool:
        """Whether all it requires was said, though its name was not."""
        filled = arguments(question, self.schema, question.names)
        return bool(self.required) and filled is not None

    @property
    def takes_one_name(self) -> bool:
        """Whether a call is about one thing: then two things are two calls."""
        names = self.required or list(self.properties)[:1]
        kinds = [kind_of(fields(self.properties.get(name))) for name in names]
        return kinds.count("string") == 1


def calls(
    question: Question, functions: Sequence[Mapping[str, Any]], choice: str
) -> list[tuple[str, str]]:
    """The tool calls that answer `question`: name, arguments as JSON.

    One for each thing a clause of the question names, so that "the weather in Paris
    and Rome" is two calls. None if no tool fits, unless `choice` demands one.
    """
    if choice == "none" or not functions:
        return []
    tools = [_Tool(function) for function in functions]
    named = [tool for tool in tools if tool.name == choice]
    found = _found(question, named or tools)
    if not found and (named or choice == "required"):
        tool = max(named or tools, key=lambda tool: tool.likeness(question))
        found = [(tool, _anyhow(question, tool))]
    said = [(tool.name, json.dumps(v, ensure_ascii=False)) for tool, v in found]
    return list(dict.fromkeys(said))


def _found(
    question: Question, tools: Sequence[_Tool]
) -> list[tuple[_Tool, dict[str, Any]]]:
    tool = _likest(question, tools) or next(
        (tool for tool in tools if tool.fits(question)), None
    )
    if tool is None:
        return []
    names = question.names
    clauses = [one for one in question.clauses if one.mentions(names)]
    found: list[tuple[_Tool, dict[str, Any]]] = []
    for clause in clauses if len(clauses) > 1 else [question]:
        # "The weather in Paris and Rome": the second clause means the weather, too.
        tool = _likest(clause, tools) or tool
        about = clause.mentions(names)
        each = [[name] for name in about] if about and tool.takes_one_name else [about]
        for one in each:
            filled = arguments(question, tool.schema, one)
            if filled is not None:
                found.append((tool, filled))
    return found


def _likest(question: Question, tools: Sequence[_Tool]) -> _Tool | None:
    best = max(tools, key=lambda tool: tool.likeness(question))
    return best if best.likeness(question) else None


_PLAIN: dict[str | None, Any] = {
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
}


def _anyhow(question: Question, tool: _Tool) -> dict[str, Any]:
    """Arguments for a call that must be made, whatever was said."""
    words = question.names or question.quoted or [question.topic]
    willing: dict[str, Any] = {**tool.schema, "required": []}
    filled = arguments(question, willing, words) or {}
    for name in tool.required:
        if name not in filled:
            schema = fields(tool.properties.get(name))
            plain = _PLAIN.get(kind_of(schema), words[0])
            filled[name] = schema.get("default", plain)
    return filled
