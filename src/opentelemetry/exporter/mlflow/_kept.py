"""What is kept of a trace until its root ends: the first question, the last answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opentelemetry.exporter.mlflow._mapping import SPAN_INPUTS, SPAN_OUTPUTS
from opentelemetry.exporter.mlflow._mapping._chat import text_of
from opentelemetry.exporter.mlflow._mapping._json import decode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from typing_extensions import Self

# MLflow cuts a preview at 1,000 characters; the trace's own page shows more.
_LONGEST_TEXT = 10_000
# As the mapping writes outputs whose first choice has a text.
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
    asked: int = 0
    answer: str = ""
    # Outputs that have an answer, and are read when the root is there.
    unread: str = ""
    answered: int = 0
    root_of_mlflow: OfMlflow | None = None

    def add(self, span: ReadableSpan, attributes: dict[str, Any]) -> None:
        started, ended = span.start_time or 0, span.end_time or 0
        if (not self.question or started < self.asked) and (
            question := _question(attributes.get(SPAN_INPUTS))
        ):
            self.question, self.asked = question[:_LONGEST_TEXT], started
        outputs = attributes.get(SPAN_OUTPUTS)
        if ended < self.answered or not isinstance(outputs, str):
            return
        if len(outputs) <= _LONGEST_TEXT and _HAS_ANSWER.search(outputs):
            self.unread, self.answered = outputs, ended
        elif answer := _answer(outputs):
            self.answer, self.unread = answer[:_LONGEST_TEXT], ""
            self.answered = ended

    def add_root_of_mlflow(
        self, span: ReadableSpan, attributes: dict[str, Any]
    ) -> None:
        """Of several, the first that began counts."""
        root, before = OfMlflow.of(span, attributes), self.root_of_mlflow
        if before is None or root.began < before.began:
            self.root_of_mlflow = root

    def merge(self, other: Kept) -> None:
        if other.question and (not self.question or other.asked < self.asked):
            self.question, self.asked = other.question, other.asked
        if other.answered and other.answered >= self.answered:
            self.answer, self.unread = other.answer, other.unread
            self.answered = other.answered

    @property
    def last_answer(self) -> str:
        return (self.unread and _answer(self.unread)) or self.answer


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
