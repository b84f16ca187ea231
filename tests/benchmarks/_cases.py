"""The cases to measure, their environment variables and the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .worker.subjects import Subject


@dataclass(frozen=True)
class Case:
    """A measurement in one mode; `name` is its name in the worker."""

    name: str
    mode: str
    title: str
    target: str = ""
    unit: str = "µs"
    # None means the number of the command line. Tracing memory is slow and repeatable.
    rounds: int | None = None


_OTHER_HOST: Final = "other_host"
CASES: Final = (
    Case(
        "call",
        "content",
        "A call, content on",
        "at most half of the best complete peer, and three times a bare span",
    ),
    Case("call", "no_content", "A call, content off"),
    Case("call", "unsampled", "A call, unsampled", "at most 1.2 times a bare span"),
    # What `opentelemetry-instrument` sets up, for a call that is not sampled.
    Case(
        "call",
        "unsampled_metrics",
        "A call, unsampled, content off, SDK metrics on",
        "faster than the fastest peer",
    ),
    Case(
        "history",
        "content",
        "A call with 100 messages of history, content on",
        "no slower than the fastest peer",
    ),
    Case(
        "first_chunk",
        "content",
        "Time to the first chunk, content on",
        "no more than for a call",
    ),
    Case("chunk", "content", "A chunk of 2,000, content on", "at most 2 µs"),
    Case(
        "chunk",
        "no_content",
        "A chunk of 2,000, content off",
        "at most 2 µs",
    ),
    Case(
        "chunk",
        "unsampled",
        "A chunk of 2,000, unsampled",
        "at most 2 µs",
    ),
    Case(
        "chunk",
        "metrics",
        "A chunk of 2,000, content off, SDK metrics on",
        "at most half of OpenTelemetry's for OpenAI",
    ),
    Case(
        _OTHER_HOST,
        "no_content",
        "A request of httpx to another host",
        "at most 1 µs",
    ),
    Case(
        "memory",
        "content",
        "Memory in use over a stream of 2,000 chunks, without the text itself",
        "at most 64 KiB",
        unit="KiB",
        rounds=1,
    ),
)
MODES: Final = tuple(dict.fromkeys(case.mode for case in CASES))


def environment_variables(subject: Subject, mode: str) -> Mapping[str, str] | None:
    """Returns the variables for the mode; None if the subject does not support it."""
    if mode.endswith("metrics") and not subject.has_metrics:
        return None
    has_content = mode in {"content", "unsampled"}
    variables = subject.content if has_content else subject.no_content
    return None if variables is None else {**subject.settings, **variables}


def is_measured(subject: Subject, case: Case) -> bool:
    # A bare span does nothing per chunk and allocates nothing that stays in use.
    if subject.name == BARE_SPAN.name:
        return case.name == "call"
    # No peer records requests of httpx.
    return case.name != _OTHER_HOST or not subject.is_peer


BARE_SPAN: Final = SUBJECTS["span"]
