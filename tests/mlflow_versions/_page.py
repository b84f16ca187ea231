"""Reads what MLflow's page shows of the model calls of a trace.

The page of MLflow 3.14 and later has an address for each trace, and shows chats among
the inputs and outputs. Older pages open a trace from the list, and have a tab for the
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

__all__ = ["SpanText", "chromium_path", "read_pages"]

# The first version with an address for each trace.
_TRACE_ADDRESS: Final = (3, 14)
# The first with an address for the list of traces.
_LIST_ADDRESS: Final = (3, 5)
_TIMEOUT_SECONDS: Final = 30


@dataclass(frozen=True)
class SpanText:
    """The text of a span on the page, with everything unfolded.

    `chat` is empty if the page does not show a chat.
    """

    chat: str
    inputs_and_outputs: str


def read_pages(run: Run) -> list[SpanText]:
    """Returns the text of each model call, in chronological order."""
    read = _read_new if server_version(run.uri) >= _TRACE_ADDRESS else _read_old
    with launch_browser() as browser, new_page(browser, height=1400) as page:
        return [
            read(page, run, trace["trace_id"], span)
            for trace in run.traces
            for span in sorted(trace["spans"], key=lambda span: span["start_ns"])
            if span["type"] == "CHAT_MODEL"
        ]


def server_version(uri: str) -> tuple[int, ...]:
    with urllib.request.urlopen(f"{uri}/version", timeout=10) as response:
        return tuple(map(int, response.read().decode().split(".")[:2]))


def _read_new(page: Page, run: Run, trace_id: str, span: dict[str, Any]) -> SpanText:
    location: Any = SimpleNamespace(
        trace_id=trace_id, span_id=span["span_id"], outputs=span["outputs"]
    )
    panel = read_panel(page, open_panel(page, run.uri, run.experiment_id, location))
    text = f"{panel.inputs}\n{panel.outputs}"
    is_chat = panel.has_chat_inputs and panel.has_chat_outputs
    return SpanText(text if is_chat else "", text)


def _read_old(page: Page, run: Run, trace_id: str, span: dict[str, Any]) -> SpanText:
    # Another address first: the same one would not load the page again.
    page.goto("about:blank")
    # MLflow 3.1 does not know the first of them, and newer versions not the second.
    has_address = server_version(run.uri) >= _LIST_ADDRESS
    path = "/traces" if has_address else "?compareRunsMode=TRACES"
    page.goto(f"{run.uri}/#/experiments/{run.experiment_id}{path}")
    page.get_by_text(trace_id, exact=True).first.click()
    frame = _frame_of_trace(page, f"timeline-tree-node-{span['span_id']}")
    chat_tab = frame.get_by_test_id("model-trace-explorer-chat-tab")
    chat = ""
    if frame.get_by_role("tab", name="Chat", exact=True).count():
        frame.get_by_role("tab", name="Chat", exact=True).click()
        chat = _unfolded(frame, chat_tab)
    frame.get_by_role("tab", name="Inputs / Outputs").click()
    content_tab = frame.get_by_test_id("model-trace-explorer-content-tab")
    return SpanText(chat, _unfolded(frame, content_tab))


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
    raise RuntimeError(f"the page has no {test_id}")


def _unfolded(frame: Frame, tab: Any) -> str:
    tab.first.wait_for()
    for name in ("Reasoning", "See more"):
        for folded in reversed(frame.get_by_text(name, exact=True).all()):
            folded.click()
    return str(tab.first.inner_text())
