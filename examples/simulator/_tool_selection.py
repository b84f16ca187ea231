"""Selection of the tools that a question needs, with their arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._argument_extraction import extract_arguments, schema_type
from ._json import array_items, object_fields
from ._question import word_stems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._question import Question

# Words that say nothing about the tool that a question needs.
_STOP_WORDS = word_stems(
    "a an and are at by can do does for from get give has have how i in is it its look"
    " me my of on or return returns show that the this to up use used what which will"
    " with you your current given fetch list tool function value"
)


class _FunctionTool:
    """A function that the caller offers to the model."""

    def __init__(self, function: Mapping[str, Any]) -> None:
        self.name = str(function["name"])
        self.schema = object_fields(function.get("parameters"))
        self.properties = object_fields(self.schema.get("properties"))
        self.required = [str(name) for name in array_items(self.schema.get("required"))]
        self._name_words = word_stems(self.name)
        self._description_words = word_stems(function.get("description") or "")
        self._parameter_words = word_stems(" ".join(self.properties))

    def relevance(self, question: Question) -> int:
        """Returns a score of the words in common with `question`; 0 without any."""
        question_words = question.words - _STOP_WORDS
        return (
            4 * len(self._name_words & question_words)
            + 2 * len(self._description_words & question_words)
            + len(self._parameter_words & question_words)
        )

    def is_callable_for(self, question: Question) -> bool:
        """Returns whether `question` contains all required arguments.

        A function without required arguments does not qualify.
        """
        arguments = extract_arguments(question, self.schema, question.names)
        return bool(self.required) and arguments is not None

    @property
    def has_single_text_argument(self) -> bool:
        """Whether a call takes one name, so that two names need two calls."""
        names = self.required or list(self.properties)[:1]
        types = [schema_type(object_fields(self.properties.get(n))) for n in names]
        return types.count("string") == 1


def select_tool_calls(
    question: Question, functions: Sequence[Mapping[str, Any]], tool_choice: str
) -> list[tuple[str, str]]:
    """Returns the tool calls that `question` needs: name, arguments as JSON.

    Each name in each clause gets a call of its own, so that "the weather in Paris and
    Rome" results in two calls. The list is empty if no tool is relevant, unless
    `tool_choice` requires a call.
    """
    if tool_choice == "none" or not functions:
        return []
    tools = [_FunctionTool(function) for function in functions]
    chosen_tools = [tool for tool in tools if tool.name == tool_choice]
    calls = _relevant_calls(question, chosen_tools or tools)
    if not calls and (chosen_tools or tool_choice == "required"):
        tool = max(chosen_tools or tools, key=lambda tool: tool.relevance(question))
        calls = [(tool, _required_call_arguments(question, tool))]
    encoded_calls = [
        (tool.name, json.dumps(arguments, ensure_ascii=False))
        for tool, arguments in calls
    ]
    return list(dict.fromkeys(encoded_calls))


def _relevant_calls(
    question: Question, tools: Sequence[_FunctionTool]
) -> list[tuple[_FunctionTool, dict[str, Any]]]:
    main_tool = _most_relevant(question, tools) or next(
        (tool for tool in tools if tool.is_callable_for(question)), None
    )
    if main_tool is None:
        return []
    names = question.names
    clauses = [c for c in question.clauses if c.mentioned_names(names)]
    calls: list[tuple[_FunctionTool, dict[str, Any]]] = []
    for clause in clauses if len(clauses) > 1 else [question]:
        # In "the weather in Paris and Rome", the second clause has no word for the
        # weather and takes the tool of the whole question.
        tool = _most_relevant(clause, tools) or main_tool
        clause_names = clause.mentioned_names(names)
        names_by_call = [clause_names]
        if clause_names and tool.has_single_text_argument:
            names_by_call = [[name] for name in clause_names]
        for call_names in names_by_call:
            arguments = extract_arguments(question, tool.schema, call_names)
            if arguments is not None:
                calls.append((tool, arguments))
    return calls


def _most_relevant(
    question: Question, tools: Sequence[_FunctionTool]
) -> _FunctionTool | None:
    tool = max(tools, key=lambda tool: tool.relevance(question))
    return tool if tool.relevance(question) else None


_PLACEHOLDERS: dict[str | None, Any] = {
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
}


def _required_call_arguments(question: Question, tool: _FunctionTool) -> dict[str, Any]:
    """Returns arguments for a call that must be made, with placeholders if needed."""
    texts = question.names or question.quotations or [question.topic]
    lenient_schema: dict[str, Any] = {**tool.schema, "required": []}
    arguments = extract_arguments(question, lenient_schema, texts) or {}
    for name in tool.required:
        if name not in arguments:
            schema = object_fields(tool.properties.get(name))
            placeholder = _PLACEHOLDERS.get(schema_type(schema), texts[0])
            arguments[name] = schema.get("default", placeholder)
    return arguments
