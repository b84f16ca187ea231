"""What is known of a trace before its root span ends: TraceSummary."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._mapping import SPAN_INPUTS, SPAN_OUTPUTS
from opentelemetry.exporter.mlflow._trace_info._call_costs import CallCosts
from opentelemetry.exporter.mlflow._trace_info._previews import answer_of, question_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

# MLflow's list cuts a preview at 1,000 characters. The page of the trace shows more.
_MAX_TEXT_LENGTH = 10_000


class FluentRoot(NamedTuple):
    """The root span of MLflow's own trace beneath an application span.

    MLflow's client makes name, request and response of the trace from it. The
    application's root span shows the same, so the order of arrival does not matter.
    """

    start_time: int
    name: str
    inputs: Any
    outputs: Any


@dataclass
class TraceSummary:
    """The first question, the last answer and the costs of the model calls.

    Times are in nanoseconds since the epoch; 0 means that there is no text.
    """

    question: str = ""
    question_time: int = 0
    answer: str = ""
    answer_time: int = 0
    fluent_root: FluentRoot | None = None
    costs: CallCosts = field(default_factory=CallCosts)

    def add_model_call(
        self,
        span: ReadableSpan,
        attributes: dict[str, Any],
        question: str | None = None,
        answer: str | None = None,
    ) -> None:
        """Add a call; a text that is None is read from its translated attributes."""
        start_time, end_time = span.start_time or 0, span.end_time or 0
        if not self.question_time or start_time < self.question_time:
            if question is None:
                question = question_of(attributes.get(SPAN_INPUTS))
            if question:
                self.question = question[:_MAX_TEXT_LENGTH]
                self.question_time = start_time
        if end_time >= self.answer_time:
            if answer is None:
                answer = answer_of(attributes.get(SPAN_OUTPUTS))
            if answer:
                self.answer = answer[:_MAX_TEXT_LENGTH]
                self.answer_time = end_time

    def add_fluent_root(
        self, name: str, span: ReadableSpan, attributes: dict[str, Any]
    ) -> None:
        """Add a root span of MLflow's; of several, the first one counts."""
        self._keep_first_root(
            FluentRoot(
                span.start_time or 0,
                name,
                attributes.get(SPAN_INPUTS),
                attributes.get(SPAN_OUTPUTS),
            )
        )

    def merge(self, other: TraceSummary) -> None:
        if other.question_time and (
            not self.question_time or other.question_time < self.question_time
        ):
            self.question, self.question_time = other.question, other.question_time
        if other.answer_time and other.answer_time >= self.answer_time:
            self.answer, self.answer_time = other.answer, other.answer_time
        if other.fluent_root:
            self._keep_first_root(other.fluent_root)
        self.costs.add(other.costs)

    def _keep_first_root(self, root: FluentRoot) -> None:
        current = self.fluent_root
        if current is None or root.start_time < current.start_time:
            self.fluent_root = root
