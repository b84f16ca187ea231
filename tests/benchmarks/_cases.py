"""What is measured, with which settings, and what the project has promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .inside.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inside.subjects import Subject


@dataclass(frozen=True)
class Case:
    """`name` is what a worker knows it by."""

    name: str
    mode: str
    title: str
    budget: str = ""
    unit: str = "µs"
    # Tracing memory is slow, and always finds the same.
    rounds: int | None = None


CASES: Final = (
    Case(
        "call",
        "content",
        "A call, content on",
        "at most half of the best complete peer, three times a bare span",
    ),
    Case("call", "no_content", "A call, content off"),
    Case("call", "unsampled", "A call, unsampled", "at most 1.2 times a bare span"),
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
        "no more than the call's own share",
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
        "memory",
        "content",
        "Memory kept over a stream of 2,000 chunks, beyond the text itself",
        "at most 64 KiB",
        unit="KiB",
        rounds=1,
    ),
)
MODES: Final = tuple(dict.fromkeys(case.mode for case in CASES))


def settings(subject: Subject, mode: str) -> Mapping[str, str] | None:
    """The environment variables for `mode`; None if `subject` has no such mode."""
    if mode == "metrics" and not subject.has_metrics:
        return None
    captures = mode in {"content", "unsampled"}
    switch = subject.content if captures else subject.no_content
    return None if switch is None else {**subject.settings, **switch}


def takes_part(subject: Subject, case: Case) -> bool:
    # A bare span does nothing on a chunk, and keeps nothing.
    return subject.name != YARDSTICK.name or case.name == "call"


YARDSTICK: Final = SUBJECTS["span"]
