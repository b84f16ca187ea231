"""An answer made from what the tools returned."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._chat_request import text_of
from ._json import fields, is_array, is_object, items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._chat_request import Message

_DEGREES = re.compile(r"(-?\d+(?:\.\d+)?) ?°? ?([CF])?\b")
_WEATHER = re.compile("weather|forecast|temperature|climate", re.IGNORECASE)
_SKY = (
    "condition",
    "conditions",
    "sky",
    "weather",
    "summary",
    "description",
    "forecast",
)


@dataclass(frozen=True)
class Result:
    """One tool call and what came of it."""

    name: str
    arguments: dict[str, Any]
    value: Any  # parsed if it is JSON, else the text

    @property
    def about(self) -> str:
        """The first text among the arguments: usually what the call was about."""
        texts = [value for value in self.arguments.values() if isinstance(value, str)]
        return texts[0] if texts else ""

    @property
    def failed(self) -> bool:
        if is_object(self.value):
            return "error" in self.value
        return str(self.value).lower().startswith(("error", "traceback"))


def results_since_question(messages: Sequence[Message]) -> list[Result]:
    """The results at the end of the conversation, with their calls."""
    calls: dict[str, Message] = {}
    results: list[Result] = []
    for message in messages:
        if message["role"] == "user":
            results = []
        for call in items(message.get("tool_calls")):
            calls[call["id"]] = call["function"]
        if message["role"] == "tool":
            call = calls[message["tool_call_id"]]
            given = fields(_parsed(call["arguments"]))
            results.append(Result(call["name"], given, _parsed(text_of(message))))
    return results


def sentences_of(results: Sequence[Result]) -> str:
    """All results in a sentence or two."""
    failed = [result for result in results if result.failed]
    good = [result for result in results if not result.failed]
    sentences = [_sentence([_told(result) for result in good])] if good else []
    sentences += _warmest(good)
    sentences += [
        f"`{r.name}` failed, so that part is missing: {_said(r.value)}." for r in failed
    ]
    return " ".join(sentences)


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts) if any(", " in part for part in parts) else _and(parts)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def _told(result: Result) -> str:
    if _WEATHER.search(result.name) and result.about:
        return f"in {result.about} it is {_weather(result.value)}"
    if is_object(result.value):
        pairs = {k: v for k, v in result.value.items() if v != result.about}
        said = _and([f"{k.replace('_', ' ')} is {_said(v)}" for k, v in pairs.items()])
        return f"for {result.about}, {said}" if result.about else said
    if is_array(result.value):
        return f"`{result.name}` found {_and([_said(item) for item in result.value])}"
    if len(str(result.value).split()) > 4:  # noqa: PLR2004  # a sentence of its own
        return str(result.value).rstrip(".")
    return f"{result.about or 'the result'}: {_said(result.value)}"


def _weather(value: Any) -> str:
    if not is_object(value):
        return _DEGREES.sub(_degrees, str(value)).rstrip(".")
    parts: list[str] = []
    for key, item in value.items():
        if "temp" in key or "degrees" in key:
            unit = "F" if "f" in str(value.get("unit", "c")).lower()[:1] else "C"
            parts.insert(0, f"{item} °{unit}" if _is_number(item) else str(item))
        elif key in _SKY:
            parts.append(str(item).lower())
    return " and ".join(parts) if parts else _said(value)


def _degrees(found: re.Match[str]) -> str:
    return f"{found[1]} °{found[2]}" if found[2] else found[0]


def _warmest(results: Sequence[Result]) -> list[str]:
    """Who asks for the weather in two places wants to know where it is warmer."""
    warmth: dict[str, float] = {}
    for result in results:
        number = re.search(r"-?\d+(?:\.\d+)?", _weather(result.value))
        if not (_WEATHER.search(result.name) and result.about and number):
            return []
        warmth[result.about] = float(number.group())
    if len(set(warmth.values())) < 2:  # noqa: PLR2004  # nothing to compare
        return []
    place = max(warmth, key=lambda name: warmth[name])
    how = "warmer of the two" if len(warmth) == 2 else "warmest"  # noqa: PLR2004
    return [f"{place} is the {how}."]


def _said(value: Any) -> str:
    if is_array(value):
        return _and([_said(item) for item in value])
    if is_object(value):
        return ", ".join(f"{name} {_said(item)}" for name, item in value.items())
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "nothing"}[value]
    return str(value)


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
