"""Reads what MLflow's page shows of the model calls of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.comparison._mlflow_page import (
    chromium_path,
    launch_browser,
    new_page,
    open_panel,
    read_panel,
)

if TYPE_CHECKING:
    from ._run import Run

__all__ = ["SpanText", "chromium_path", "read_pages"]


@dataclass(frozen=True)
class SpanText:
    """The text of a span's panel, with all reasoning unfolded.

    Attributes:
        has_chat_view: Whether this version of the page can show a chat.
        is_chat: Whether inputs and outputs are shown as a chat.
    """

    inputs: str
    outputs: str
    has_chat_view: bool
    is_chat: bool


def read_pages(run: Run) -> list[SpanText]:
    """Returns the text of each model call, in chronological order."""
    with launch_browser() as browser, new_page(browser) as page:
        return [
            _read(page, run.uri, run.experiment_id, trace["trace_id"], span)
            for trace in run.traces
            for span in sorted(trace["spans"], key=lambda span: span["start_ns"])
            if span["type"] == "CHAT_MODEL"
        ]


def _read(
    page: Any, uri: str, experiment_id: str, trace_id: str, span: dict[str, Any]
) -> SpanText:
    location = SimpleNamespace(
        trace_id=trace_id, span_id=span["span_id"], outputs=span["outputs"]
    )
    panel = open_panel(page, uri, experiment_id, location)
    text = read_panel(page, panel)
    return SpanText(
        text.inputs,
        text.outputs,
        has_chat_view=True,
        is_chat=text.has_chat_inputs and text.has_chat_outputs,
    )
