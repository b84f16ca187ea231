"""What is kept of a trace until its root ends: the first question, the last answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opentelemetry.exporter.mlflow._mapping import SPAN_INPUTS, SPAN_OUTPUTS
from opentelemetry.exporter.mlflow._mapping._chat import text_of
from opentelemetry.exporter.mlflow._mapping._json import decode

if TYPE_CHECKING:
    from typing import TypeGuard

    from opentelemetry.sdk.trace import ReadableSpan
    from typing_extensions import Self

# MLflow cuts a preview at 1,000 characters; the trace's own page shows more.
_LONGEST_TEXT = 10_000
# As the mapping writes inputs with a text of the user's, and outputs whose first choice
# has a text: they are read when somebody is there to borrow it.
_HAS_QUESTION = re.compile(r'"role": "user", "content": "[^"]')
_HAS_ANSWER = re.compile(
    r'"choices": \[\{"index": 0, '
    r'"message": \{"role": "assistant", "content": "[^"]'
)


class OfMlflow(NamedTuple):
    """What MLflow itself makes of its trace: it is to be the same, whoever is first."""

    began: int
    name: str
    inputs: Any
    outputs: Any

    @classmethod
    def of(cls, span: ReadableSpan, attributes: dict[str, Any]) -> Self:
        inputs, outputs = map(attributes.get, (SPAN_INPUTS, SPAN_OUTPUTS))
        return cls(span.start_time or 0, span.name, inputs, outputs)


@dataclass
class Kept:
    """The first question and the last answer so far, with their times."""

    question: str = ""
    unread_question: str = ""
    asked: int = 0
    answer: str = ""
    unread_answer: str = ""
    answered: int = 0
    root_of_mlflow: OfMlflow | None = None

    def add(self, span: ReadableSpan, attributes: dict[str, Any]) -> None:
        started, ended = span.start_time or 0, span.end_time or 0
        if not self.asked or started < self.asked:
            inputs = attributes.get(SPAN_INPUTS)
            if _is_short_and_has(inputs, _HAS_QUESTION):
                self.question, self.unread_question = "", inputs
                self.asked = started
            elif question := _question(inputs):
                self.question, self.unread_question = question[:_LONGEST_TEXT], ""
                self.asked = started
        outputs = attributes.get(SPAN_OUTPUTS)
        if ended < self.answered or not isinstance(outputs, str):
            return
        if _is_short_and_has(outputs, _HAS_ANSWER):
            self.unread_answer, self.answered = outputs, ended
        elif answer := _answer(outputs):
            self.answer, self.unread_answer = answer[:_LONGEST_TEXT], ""
            self.answered = ended

    def add_root_of_mlflow(self, root: OfMlflow) -> None:
        """Of several, the first that began counts."""
        before = self.root_of_mlflow
        if before is None or root.began < before.began:
            self.root_of_mlflow = root

    def merge(self, other: Kept) -> None:
        if other.asked and (not self.asked or other.asked < self.asked):
            self.question, self.unread_question = other.question, other.unread_question
            self.asked = other.asked
        if other.answered and other.answered >= self.answered:
            self.answer, self.unread_answer = other.answer, other.unread_answer
            self.answered = other.answered
        if other.root_of_mlflow:
            self.add_root_of_mlflow(other.root_of_mlflow)

    @property
    def first_question(self) -> str:
        return (self.unread_question and _question(self.unread_question)) or (
            self.question
        )

    @property
    def last_answer(self) -> str:
        return (self.unread_answer and _answer(self.unread_answer)) or self.answer


def _is_short_and_has(text: Any, what: re.Pattern[str]) -> TypeGuard[str]:
    return (
        isinstance(text, str)
        and len(text) <= _LONGEST_TEXT
        and what.search(text) is not None
    )


def _question(inputs: Any) -> str:
    """The last thing the user wrote."""
    match _loaded(inputs):
        case {"messages": [*messages]}:
            texts = [
                text_of(message)
                for message in messages
                if isinstance(message, dict)
                and cast("dict[str, Any]", message).get("role") == "user"
            ]
            return next((text for text in reversed(texts) if text), "")
        case _:
            return ""


def _answer(outputs: Any) -> str:
    match _loaded(outputs):
        case {"choices": [{"message": message}, *_]}:
            return text_of(message)
        case _:
            return ""


def _loaded(value: Any) -> Any:
    try:
        return decode(value)
    except (RecursionError, TypeError, ValueError):
        return None
