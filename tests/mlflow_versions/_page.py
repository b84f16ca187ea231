"""Reads what MLflow's page shows of the model calls of a trace.

The page of MLflow 3.16 and later has an address for each trace, and shows chats among
the inputs and outputs. Older pages open a trace above the list, and have a tab for the
chat. That of MLflow 3.1 is in a frame.
"""

from __future__ import annotations

import time
import urllib.request
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
    from typing import Final

    from playwright.sync_api import Frame, Page

    from ._run import Run

__all__ = [
    "SpanNotShownError",
    "SpanText",
    "chromium_path",
    "has_address_of_trace",
    "read_pages",
    "read_span",
]

# The first version with an address for each trace.
_TRACE_ADDRESS: Final = (3, 16)
# The first whose list opens the trace that its address has. Some lists do not show the
# ids of traces.
_OPENED_BY_ADDRESS: Final = (3, 3)
# The first with an address for the list.
_LIST_ADDRESS: Final = (3, 4)
_TIMEOUT_SECONDS: Final = 30


class SpanNotShownError(RuntimeError):
    """The page of a trace does not have a span."""


@dataclass(frozen=True)
class SpanText:
    """The text of a span on the page, with everything unfolded.

    `chat` is empty if the page does not show a chat.
    """

    chat: str
    inputs_and_outputs: str
    events: str = ""
    tool_count: int = 0


def read_pages(run: Run) -> list[SpanText]:
    """Returns the text of each model call, in chronological order."""
    read = _read_new_page if has_address_of_trace(run.uri) else read_span
    with launch_browser() as browser, new_page(browser, height=1400) as page:
        return [
            read(page, run.uri, run.experiment_id, trace["trace_id"], span["span_id"])
            for trace in run.traces
            for span in sorted(trace["spans"], key=lambda span: span["start_ns"])
            if span["type"] == "CHAT_MODEL"
        ]


def has_address_of_trace(uri: str) -> bool:
    return _server_version(uri) >= _TRACE_ADDRESS


def _server_version(uri: str) -> tuple[int, ...]:
    with urllib.request.urlopen(f"{uri}/version", timeout=10) as response:
        return tuple(map(int, response.read().decode().split(".")[:2]))


def _read_new_page(
    page: Page, uri: str, experiment_id: str, trace_id: str, span_id: str
) -> SpanText:
    span: Any = SimpleNamespace(trace_id=trace_id, span_id=span_id, outputs="any")
    panel = read_panel(page, open_panel(page, uri, experiment_id, span))
    text = f"{panel.inputs}\n{panel.outputs}"
    is_chat = panel.has_chat_inputs and panel.has_chat_outputs
    return SpanText(text if is_chat else "", text, panel.events, panel.tool_count)


def read_span(
    page: Page, uri: str, experiment_id: str, trace_id: str, span_id: str
) -> SpanText:
    """Reads a span on a page without an address for the trace."""
    version = _server_version(uri)
    path = "/traces?" if version >= _LIST_ADDRESS else "?compareRunsMode=TRACES&"
    # Another address first: the same one would not load the page again.
    page.goto("about:blank")
    page.goto(
        f"{uri}/#/experiments/{experiment_id}{path}selectedEvaluationId={trace_id}"
    )
    if version < _OPENED_BY_ADDRESS:
        page.get_by_text(trace_id, exact=True).first.click()
    frame = _frame_of_trace(page, f"timeline-tree-node-{span_id}")
    chat, tool_count = "", 0
    chat_tab = frame.get_by_role("tab", name="Chat", exact=True)
    if chat_tab.count():
        chat_tab.click()
        chat = _unfolded(frame, "model-trace-explorer-chat-tab")
        tool_count = frame.get_by_test_id("model-trace-explorer-chat-tool").count()
    frame.get_by_role("tab", name="Inputs / Outputs").click()
    content = _unfolded(frame, "model-trace-explorer-content-tab")
    frame.get_by_role("tab", name="Events").click()
    events = frame.get_by_role("tabpanel").last.inner_text()
    return SpanText(chat, content, events, tool_count)


def _frame_of_trace(page: Page, test_id: str) -> Frame:
    """Selects the span in the tree of the trace; returns the frame of both."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if page.get_by_text("Details & Timeline").count():
            page.get_by_text("Details & Timeline").click()
        for frame in page.frames:
            if frame.get_by_test_id(test_id).count():
                frame.get_by_test_id(test_id).click()
                return frame
        page.wait_for_timeout(200)
    raise SpanNotShownError(f"the page has no {test_id}")


def _unfolded(frame: Frame, test_id: str) -> str:
    tab = frame.get_by_test_id(test_id).first
    tab.wait_for()
    for name in ("Reasoning", "See more"):
        for folded in reversed(frame.get_by_text(name, exact=True).all()):
            folded.click()
    return tab.inner_text()
