"""A recorded trace as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from examples.quickstart._recorded_trace import RecordedSpan, RecordedTrace, Usage

HEADER = ("span", "type", "seconds", "input", "cached", "output", "reasoning", "USD")
LEFT_ALIGNED_COLUMNS = 2


def format_span_table(trace: RecordedTrace) -> str:
    rows = [
        (
            prefix + span.name,
            span.type,
            f"{span.seconds:.2f}",
            *_usage_cells(span.usage),
        )
        for prefix, span in _tree_prefixes(trace.spans)
    ]
    total = ("whole trace", "", "", *_usage_cells(trace.total))
    widths = [
        max(len(row[column]) for row in (HEADER, *rows, total))
        for column in range(len(HEADER))
    ]

    def format_row(row: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if column < LEFT_ALIGNED_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join(
        [format_row(HEADER), rule, *map(format_row, rows), rule, format_row(total)]
    )


def _tree_prefixes(
    spans: Sequence[RecordedSpan],
) -> Iterator[tuple[str, RecordedSpan]]:
    for position, span in enumerate(spans):
        if span.depth == 0:
            yield "", span
            continue
        later_depths = [later.depth for later in spans[position + 1 :]]
        yield (
            "".join(
                _prefix_part(level, span.depth, later_depths)
                for level in range(1, span.depth + 1)
            ),
            span,
        )


def _prefix_part(level: int, depth: int, later_depths: Sequence[int]) -> str:
    """Returns the part of a prefix at `level`; it shows if a later sibling follows."""
    has_sibling = next((d == level for d in later_depths if d <= level), False)
    if level == depth:
        return "├─ " if has_sibling else "└─ "
    return "│  " if has_sibling else "   "


def _usage_cells(usage: Usage) -> tuple[str, ...]:
    counts = (usage.input, usage.cached, usage.output, usage.reasoning)
    return (
        *("" if count is None else f"{count:,}" for count in counts),
        "" if usage.cost is None else f"{usage.cost:.6f}",
    )
