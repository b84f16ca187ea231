"""Reads what MLflow's page shows of a span."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from mlflow.entities import Span
    from playwright.sync_api import Browser, Locator, Page

_OPTIONS: Final = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    # No requests to other hosts.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
# Suppresses the welcome dialogs, which would cover the page.
_SUPPRESS_DIALOGS: Final = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.detectIssues.guidanceShown_v1", "true");
"""
_ROLES: Final = ("System", "User", "Assistant", "Tool")


def chromium_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True)
class SpanPanel:
    """The text of a span's panel, in parts, and the number of tool definitions."""

    tool_count: int
    inputs: str
    outputs: str
    events: str

    @classmethod
    def read(cls, text: str, events: str) -> SpanPanel:
        head, _, rest = text.partition("Inputs\n")
        inputs, _, outputs = rest.partition("\nOutputs\n")
        tools = re.search(r"Tools\n\((\d+)\)", head)
        return cls(int(tools[1]) if tools else 0, inputs, outputs, events)

    @property
    def has_chat_inputs(self) -> bool:
        return _is_chat(self.inputs)

    @property
    def has_chat_outputs(self) -> bool:
        return _is_chat(self.outputs)


def _is_chat(side: str) -> bool:
    """Returns whether the text is a chat: it begins with a role instead of a key."""
    return side.removeprefix("Pretty\n").partition("\n")[0] in _ROLES


@contextmanager
def launch_browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.fspath(chromium_path() or ""), args=list(_OPTIONS)
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def new_page(
    browser: Browser, *, width: int = 1400, height: int = 1000
) -> Iterator[Page]:
    """Opens a page in a new context, without MLflow's welcome dialogs."""
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(_SUPPRESS_DIALOGS)
    try:
        yield context.new_page()
    finally:
        context.close()


def open_panel(page: Page, uri: str, experiment_id: str, span: Span) -> Locator:
    """Opens the page of the trace; returns the panel of `span`."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

    page.goto(f"{uri}/#/experiments/{experiment_id}/traces/{span.trace_id}")
    page.get_by_test_id(f"timeline-tree-node-{span.span_id}").click()
    last = "Inputs" if span.outputs is None else "Outputs"
    panel = page.get_by_role("tabpanel").filter(has_text=last).first
    for is_last in (False, False, False, True):
        page.get_by_role("tab", name="Inputs / Outputs").click()
        try:
            panel.wait_for(timeout=8_000)
            break
        except PlaywrightTimeoutError:
            # While the page renders a new trace, it may select another tab again.
            if is_last:
                raise
    return panel


def read_panel(page: Page, panel: Locator) -> SpanPanel:
    """Reads the panel and the events, with all reasoning unfolded."""
    for folded in panel.get_by_text("Reasoning", exact=True).all():
        folded.click()
    text, events = panel.inner_text(), ""
    for events_tab in page.get_by_role("tab", name="Events").all():
        events_tab.click()
        events = page.get_by_role("tabpanel", name="Events").inner_text()
    return SpanPanel.read(text, events)
