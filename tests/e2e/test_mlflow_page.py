"""MLflow's own page shows the quickstart's trace as a conversation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from examples.quickstart import _report
from examples.quickstart._trace import recorded

pytestmark = pytest.mark.e2e
SCREENSHOT = Path(__file__).parents[2] / "docs" / "trace-in-mlflow.png"
CHROMIUM = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    # It asks the world for nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# What greets a newcomer would stand in front of the page.
GREETED = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.detectIssues.guidanceShown_v1", "true");
"""


@pytest.fixture(scope="module")
def browser():
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        reason = "there is no chromium here: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(GREETED)
    page = context.new_page()
    yield page
    context.close()


@pytest.fixture
def address(run, mlflow_uri):
    """As the quickstart prints it."""
    address = _report.address(mlflow_uri, recorded(run.trace))
    assert address in run.output
    return address


def test_the_list_shows_what_was_asked_answered_and_spent(page, run, address):
    info = run.trace.info
    page.set_viewport_size({"width": 2000, "height": 1000})
    page.goto(address.rpartition("/")[0])
    page.get_by_role("button", name="Display").click()
    page.get_by_role("menuitem", name="Columns").click()
    for column in ("Trace name", "User"):
        page.get_by_role("menuitemcheckbox", name=column).click()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    row = page.get_by_role("row").filter(has_text=info.request_preview)
    expect(row).to_have_count(1)
    for shown in (
        "weather talk",
        info.request_preview,
        info.response_preview,
        "ada",
        info.trace_metadata["mlflow.trace.session"],
        "OK",
        str(info.token_usage["total_tokens"]),
    ):
        expect(row).to_contain_text(shown)


def test_a_call_is_a_chat_with_its_reasoning(page, run, address):
    page.goto(address)
    page.get_by_role("button", name="Full screen").click()
    # The second of the three calls: it has the question, the tool's result, the answer.
    page.get_by_text("chat deepseek-flash").nth(1).click()

    chat = page.get_by_role("tabpanel")
    expect(chat.get_by_text("How is the weather in Paris?", exact=True)).to_be_visible()
    expect(chat.get_by_text("get_weather").first).to_be_visible()
    expect(chat.get_by_text("light rain.")).to_have_text(
        "In Paris it is 18 °C and light rain."
    )
    thoughts = (
        "I do not know this myself, but get_weather does. I should call it once.",
        "The result is in. I should answer from that and add nothing I do not know.",
    )
    for at, thought in enumerate(thoughts):
        expect(chat.get_by_text(thought)).to_have_count(0)
        chat.get_by_text("Reasoning", exact=True).nth(at).click()
        expect(chat.get_by_text(thought)).to_be_visible()

    if os.environ.get("UPDATE_SCREENSHOT"):
        page.set_viewport_size({"width": 1400, "height": 1045})
        page.mouse.move(0, 0)
        SCREENSHOT.parent.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOT, animations="disabled")
