"""What MLflow's own page shows of a span."""

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
    # It asks the world for nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
# What greets a newcomer would stand in front of the page.
_GREETED: Final = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.detectIssues.guidanceShown_v1", "true");
"""
_ROLES: Final = ("System", "User", "Assistant", "Tool")


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True)
class Shown:
    """The text of a span's panel, in parts; `tools` is how many are defined."""

    tools: int
    inputs: str
    outputs: str
    events: str

    @classmethod
    def read(cls, text: str, events: str) -> Shown:
        head, _, rest = text.partition("Inputs\n")
        inputs, _, outputs = rest.partition("\nOutputs\n")
        tools = re.search(r"Tools\n\((\d+)\)", head)
        return cls(int(tools[1]) if tools else 0, inputs, outputs, events)

    @property
    def asked_as_chat(self) -> bool:
        return _is_chat(self.inputs)

    @property
    def answered_as_chat(self) -> bool:
        return _is_chat(self.outputs)


def _is_chat(side: str) -> bool:
    """A bubble begins with its role; what is no chat begins with keys and values."""
    return side.removeprefix("Pretty\n").partition("\n")[0] in _ROLES


@contextmanager
def browsing() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.fspath(chromium() or ""), args=list(_OPTIONS)
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser, *, width: int = 1400, height: int = 1000) -> Iterator[Page]:
    """A fresh page of somebody who has seen MLflow before."""
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(_GREETED)
    try:
        yield context.new_page()
    finally:
        context.close()


def opened(page: Page, uri: str, experiment_id: str, span: Span) -> Locator:
    """The panel of `span`, in the page of its trace."""
    from playwright.sync_api import TimeoutError as TooLate

    page.goto(f"{uri}/#/experiments/{experiment_id}/traces/{span.trace_id}")
    page.get_by_test_id(f"timeline-tree-node-{span.span_id}").click()
    last = "Inputs" if span.outputs is None else "Outputs"
    panel = page.get_by_role("tabpanel").filter(has_text=last).first
    for is_last in (False, False, False, True):
        page.get_by_role("tab", name="Inputs / Outputs").click()
        try:
            panel.wait_for(timeout=8_000)
            break
        except TooLate:
            # The page may choose another tab once more, while it draws another trace.
            if is_last:
                raise
    return panel


def shown(page: Page, panel: Locator) -> Shown:
    """With all of its reasoning unfolded."""
    for folded in panel.get_by_text("Reasoning", exact=True).all():
        folded.click()
    text, events = panel.inner_text(), ""
    for other in page.get_by_role("tab", name="Events").all():
        other.click()
        events = page.get_by_role("tabpanel", name="Events").inner_text()
    return Shown.read(text, events)
