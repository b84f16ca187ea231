"""Whether a client comes back when the server asked it to."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .outcome import Mark

if TYPE_CHECKING:
    from .exchange import Exchange
    from .outcome import Outcome

CEILING_SECONDS = 60.0
# The longest delay of a client's own, and the time that a busy machine may add.
_LONGEST_BACKOFF_SECONDS = 30.0
_TOLERANCE_SECONDS = 5.0
# An HTTP date has whole seconds.
_DATE_RESOLUTION_SECONDS = 1.0


def _asked_seconds(exchange: Exchange) -> float | None:
    """The seconds that the server asked for, None if the header is not valid."""
    value = exchange.retry_after or ""
    if value.isdigit():
        return float(value)
    try:
        return parsedate_to_datetime(value).timestamp() - exchange.end
    except ValueError:
        return None


def _retries(run: Outcome) -> list[tuple[Exchange, float]]:
    """The exports that were asked to wait, with the seconds until their spans came.

    A program that ends may come earlier: it has no later.
    """
    retries: list[tuple[Exchange, float]] = []
    for index, exchange in enumerate(run.exports):
        if exchange.retry_after is None:
            continue
        starts = [
            later.start
            for later in run.exports[index + 1 :]
            if later.span_ids & exchange.span_ids
        ]
        if starts and min(starts) < run.ended_at:
            retries.append((exchange, min(starts) - exchange.end))
    return retries


def _is_as_asked(exchange: Exchange, seconds: float) -> bool:
    asked = _asked_seconds(exchange)
    if asked is None:
        return seconds <= _LONGEST_BACKOFF_SECONDS + _TOLERANCE_SECONDS
    earliest = min(asked, CEILING_SECONDS) - _DATE_RESOLUTION_SECONDS
    latest = max(min(asked, CEILING_SECONDS) * 1.5, _LONGEST_BACKOFF_SECONDS)
    return earliest <= seconds <= min(latest, CEILING_SECONDS) + _TOLERANCE_SECONDS


def _figure(run: Outcome) -> str:
    retries = _retries(run)
    waits = ", ".join(f"{seconds:.0f}" for _, seconds in retries)
    return f"waited {waits} s" if waits else "never came back"


WAITS_AS_ASKED = Mark(
    "a retry is not earlier than asked, and not later than a minute",
    _figure,
    lambda run: all(_is_as_asked(*retry) for retry in _retries(run)),
)
