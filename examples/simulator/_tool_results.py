"""Sentences that summarize the results of tool calls."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._chat_request import message_text
from ._json import array_items, is_array, is_object, object_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._chat_request import Message

_DEGREES = re.compile(r"(-?\d+(?:\.\d+)?) ?°? ?([CF])?\b")
_WEATHER_TOOL = re.compile("weather|forecast|temperature|climate", re.IGNORECASE)
_WEATHER_KEYS = (
    "condition",
    "conditions",
    "sky",
    "weather",
    "summary",
    "description",
    "forecast",
)


@dataclass(frozen=True)
class ToolResult:
    """A tool call and its result."""

    name: str
    arguments: dict[str, Any]
    value: Any  # parsed if it is JSON, otherwise the text

    @property
    def subject(self) -> str:
        """The first text among the arguments; empty if there is none."""
        texts = [value for value in self.arguments.values() if isinstance(value, str)]
        return texts[0] if texts else ""

    @property
    def is_error(self) -> bool:
        if is_object(self.value):
            return "error" in self.value
        return str(self.value).lower().startswith(("error", "traceback"))


def latest_tool_results(messages: Sequence[Message]) -> list[ToolResult]:
    """Returns the tool results after the last user message, with their calls."""
    calls: dict[str, Message] = {}
    results: list[ToolResult] = []
    for message in messages:
        if message["role"] == "user":
            results = []
        for call in array_items(message.get("tool_calls")):
            calls[call["id"]] = call["function"]
        if message["role"] == "tool":
            call = calls[message["tool_call_id"]]
            arguments = object_fields(_parse_value(call["arguments"]))
            value = _parse_value(message_text(message))
            results.append(ToolResult(call["name"], arguments, value))
    return results


def summarize_tool_results(results: Sequence[ToolResult]) -> str:
    """Returns one or more sentences that contain all results."""
    errors = [result for result in results if result.is_error]
    successes = [result for result in results if not result.is_error]
    sentences: list[str] = []
    if successes:
        sentences.append(_sentence([_describe_result(r) for r in successes]))
    sentences += _compare_temperatures(successes)
    sentences += [
        f"`{result.name}` failed, so that part is missing:"
        f" {_format_value(result.value)}."
        for result in errors
    ]
    return " ".join(sentences)


def _sentence(clauses: list[str]) -> str:
    has_comma = any(", " in clause for clause in clauses)
    text = "; ".join(clauses) if has_comma else _join_with_and(clauses)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def _describe_result(result: ToolResult) -> str:
    if _WEATHER_TOOL.search(result.name) and result.subject:
        return f"in {result.subject} it is {_describe_weather(result.value)}"
    if is_object(result.value):
        fields = _join_with_and(
            [
                f"{key.replace('_', ' ')} is {_format_value(value)}"
                for key, value in result.value.items()
                if value != result.subject
            ]
        )
        return f"for {result.subject}, {fields}" if result.subject else fields
    if is_array(result.value):
        items = _join_with_and([_format_value(item) for item in result.value])
        return f"`{result.name}` found {items}"
    if len(str(result.value).split()) > 4:  # noqa: PLR2004  # a complete sentence
        return str(result.value).rstrip(".")
    return f"{result.subject or 'the result'}: {_format_value(result.value)}"


def _describe_weather(value: Any) -> str:
    if not is_object(value):
        return _DEGREES.sub(_format_degrees, str(value)).rstrip(".")
    parts: list[str] = []
    for key, item in value.items():
        if "temp" in key or "degrees" in key:
            unit = "F" if "f" in str(value.get("unit", "c")).lower()[:1] else "C"
            parts.insert(0, f"{item} °{unit}" if _is_number(item) else str(item))
        elif key in _WEATHER_KEYS:
            parts.append(str(item).lower())
    return " and ".join(parts) if parts else _format_value(value)


def _format_degrees(match: re.Match[str]) -> str:
    return f"{match[1]} °{match[2]}" if match[2] else match[0]


def _compare_temperatures(results: Sequence[ToolResult]) -> list[str]:
    """Returns a sentence that names the warmest place.

    A user who asks for the weather in several places usually wants to compare them.
    The list is empty if a result is not a temperature or if all are equal.
    """
    temperatures: dict[str, float] = {}
    for result in results:
        number = re.search(r"-?\d+(?:\.\d+)?", _describe_weather(result.value))
        if not (_WEATHER_TOOL.search(result.name) and result.subject and number):
            return []
        temperatures[result.subject] = float(number.group())
    if len(set(temperatures.values())) < 2:  # noqa: PLR2004  # nothing to compare
        return []
    place = max(temperatures, key=lambda name: temperatures[name])
    is_pair = len(temperatures) == 2  # noqa: PLR2004  # a comparative or a superlative
    rank = "warmer of the two" if is_pair else "warmest"
    return [f"{place} is the {rank}."]


def _format_value(value: Any) -> str:
    if is_array(value):
        return _join_with_and([_format_value(item) for item in value])
    if is_object(value):
        return ", ".join(f"{key} {_format_value(item)}" for key, item in value.items())
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "nothing"}[value]
    return str(value)


def _join_with_and(texts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
