"""A recorded trace as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from examples.quickstart._trace import RecordedSpan, RecordedTrace, Usage

HEAD = ("span", "type", "seconds", "input", "cached", "output", "reasoning", "USD")
TEXT_COLUMNS = 2


def table(trace: RecordedTrace) -> str:
    rows = [
        (branch + span.name, span.type, f"{span.seconds:.2f}", *_figures(span.usage))
        for branch, span in _branches(trace.spans)
    ]
    total = ("whole trace", "", "", *_figures(trace.total))
    widths = [
        max(len(row[column]) for row in (HEAD, *rows, total))
        for column in range(len(HEAD))
    ]

    def line(row: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if column < TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(HEAD), rule, *map(line, rows), rule, line(total)])


def _branches(spans: Sequence[RecordedSpan]) -> Iterator[tuple[str, RecordedSpan]]:
    for at, span in enumerate(spans):
        if span.depth == 0:
            yield "", span
            continue
        following = [later.depth for later in spans[at + 1 :]]
        yield (
            "".join(
                _stroke(level, span.depth, following)
                for level in range(1, span.depth + 1)
            ),
            span,
        )


def _stroke(level: int, depth: int, following: Sequence[int]) -> str:
    """The part of a branch at `level`: is there a later sibling to go on to?"""
    goes_on = next((d == level for d in following if d <= level), False)
    if level == depth:
        return "├─ " if goes_on else "└─ "
    return "│  " if goes_on else "   "


def _figures(usage: Usage) -> tuple[str, ...]:
    counts = (usage.input, usage.cached, usage.output, usage.reasoning)
    return (
        *("" if count is None else f"{count:,}" for count in counts),
        "" if usage.cost is None else f"{usage.cost:.6f}",
    )
