"""A scenario: a fault, the marks that a run must pass, and two forms of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .outcome import ALL_ARRIVE, COUNTED, ends_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from .mlflow_backend import MlflowBackend
    from .outcome import Mark, Outcome


@dataclass(frozen=True)
class Scenario:
    """A fault in words, the marks, and the two forms.

    The figures of the full form are in `docs/delivery.md`; the short form is a test.
    `short_marks` are the marks of the short form, if they are others.
    """

    name: str
    fault: str
    marks: tuple[Mark, ...]
    full: Callable[[MlflowBackend, str], Outcome]
    short: Callable[[MlflowBackend, str], Outcome]
    short_marks: tuple[Mark, ...] | None = None

    def marks_of(self, *, is_short: bool) -> tuple[Mark, ...]:
        return self.short_marks if is_short and self.short_marks else self.marks


DELIVERY_MARKS: Final = (ALL_ARRIVE, COUNTED, ends_within(6))
# Many small exports, so that a few seconds have some of each kind.
SMALL_BATCHES: Final = {"OTEL_BSP_SCHEDULE_DELAY": "500"}


def load(rate: float, seconds: float, *others: str) -> tuple[str, ...]:
    """The sender's arguments for spans a second and seconds."""
    return ("--rate", str(rate), "--seconds", str(seconds), *others)


def timeout(seconds: float) -> dict[str, str]:
    """The settings of both exporters for the time of one export."""
    return {
        "OTEL_EXPORTER_MLFLOW_TIMEOUT": str(seconds),
        "OTEL_EXPORTER_OTLP_TIMEOUT": str(seconds),
    }
