"""MLflow's own page shows the quickstart's trace, and other programs', as they ran."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.genai.handler import TelemetryHandler
from playwright.sync_api import expect

from examples.quickstart import _report
from examples.quickstart._trace import recorded
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.comparison._page import browsing, chromium, opened, tab
from tests.comparison._programs import PROGRAMS, Program
from tests.comparison._running import run as run_program
from tests.skipping import skip_unless_ci

pytestmark = pytest.mark.e2e
SCREENSHOT = Path(__file__).parents[2] / "docs" / "trace-in-mlflow.png"


@pytest.fixture(scope="module")
def browser():
    if chromium() is None:
        reason = "there is no chromium here: apt-get install chromium"
        skip_unless_ci(reason)
    with browsing() as browser:
        yield browser


@pytest.fixture
def page(browser):
    with tab(browser) as page:
        yield page


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


@pytest.fixture
def panel(page, mlflow_uri):
    """Runs a program of tests/comparison in our way; the panel of its first span."""

    def of(program):
        from mlflow import MlflowClient

        name = f"{program.title} on the page {time.time_ns()}"
        ran = run_program("ours", program, MlflowClient(mlflow_uri), name)
        (trace,) = ran.traces
        return opened(page, mlflow_uri, ran.experiment_id, trace.data.spans[0])

    return of


def test_a_picture_in_a_question_is_seen(panel):
    chat = panel(Program("a picture", "vision.py", "chat deepseek-flash"))
    expect(chat.get_by_text("Which colour is this square?", exact=True)).to_be_visible()
    picture = chat.locator("img")  # its alt is empty: it has no role
    expect(picture).to_have_count(1)
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") == 48


def test_tool_calls_at_the_same_time_stand_beside_each_other(panel):
    chat = panel(PROGRAMS["parallel tools"])
    expect(chat.get_by_text("Tool calls", exact=True)).to_be_visible()
    expect(chat.get_by_text("get_weather", exact=True)).to_have_count(2)
    for place in ("Hangzhou", "Beijing"):
        expect(chat.get_by_text(place, exact=True)).to_be_visible()
    thought = chat.get_by_text("Need weather for both.")
    expect(thought).to_have_count(0)
    chat.get_by_text("Reasoning", exact=True).click()
    expect(thought).to_be_visible()
    # The definitions come first, folded, and each is folded again.
    chat.get_by_role("button").first.click()
    chat.get_by_role("button", name="get_weather").click()
    expect(chat.get_by_text("Weather of a place", exact=True)).to_be_visible()


def test_an_agent_of_mlflows_is_a_tree_of_calls_and_tools(panel, page):
    agent = panel(PROGRAMS["agent with `@mlflow.trace`"])
    expect(agent.get_by_text("How is the weather in Paris?")).to_be_visible()
    expect(agent.get_by_text("In Paris it is sunny in Paris.")).to_be_visible()
    expect(page.get_by_text("chat deepseek-flash", exact=True)).to_have_count(2)
    page.get_by_text("get_weather", exact=True).click()
    expect(agent.get_by_text("city", exact=True)).to_be_visible()
    expect(agent.get_by_text("sunny in Paris", exact=True)).to_be_visible()
    page.get_by_text("chat deepseek-flash", exact=True).last.click()
    expect(agent.get_by_text("Tool calls", exact=True)).to_be_visible()
    expect(agent.get_by_text("Reasoning", exact=True)).to_have_count(2)


def test_a_completed_middle_is_a_question_and_an_answer(panel):
    chat = panel(PROGRAMS["FIM"])
    expect(chat.get_by_text("User", exact=True)).to_be_visible()
    expect(chat.get_by_text("def fib(a):")).to_be_visible()
    expect(chat.get_by_text("fib(a-1) + fib(a-2)")).to_be_visible()
    expect(chat.get_by_text("Assistant", exact=True)).to_be_visible()
    expect(chat).to_contain_text("if a <= 1:")


def test_a_failure_says_what_was_asked_and_why_it_failed(panel, page):
    chat = panel(PROGRAMS["error"])
    asked = chat.get_by_text("How many r's are in strawberry?")
    expect(asked).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Error", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Events").click()
    events = page.get_by_role("tabpanel", name="Events")
    expect(events).to_contain_text("Insufficient Balance")


def document(name, text):
    return {"id": name, "score": 0.9, "content": text}


@pytest.fixture
def searched(mlflow_uri):
    """A trace of a retrieval and two tools, one of which fails, and its experiment."""
    from mlflow import MlflowClient

    client = MlflowClient(mlflow_uri)
    experiment = client.create_experiment(f"searched on the page {time.time_ns()}")
    exporter = MlflowSpanExporter(tracking_uri=mlflow_uri, experiment_id=experiment)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    handler = TelemetryHandler(tracer_provider=provider)
    cities = [document("d1", "Paris is in France."), document("d2", "So is Nice.")]
    with handler.workflow("search"):
        with handler.retrieval() as retrieval:
            retrieval.attributes |= {
                "gen_ai.retrieval.query.text": "Where is Paris?",
                "gen_ai.retrieval.documents": json.dumps(cities),
            }
        with contextlib.suppress(TimeoutError), handler.tool("get_weather"):
            raise TimeoutError("no weather station answers")
        with handler.tool("get_time"):
            pass
    provider.shutdown()
    (trace,) = client.search_traces(locations=[experiment])
    return experiment, {span.name: span for span in trace.data.spans}


def test_the_documents_of_a_retrieval_are_seen(page, mlflow_uri, searched):
    experiment, spans = searched
    panel = opened(page, mlflow_uri, experiment, spans["retrieval"])
    expect(panel.get_by_text("Where is Paris?", exact=True)).to_be_visible()
    for text, name in (("Paris is in France.", "d1"), ("So is Nice.", "d2")):
        expect(panel.get_by_text(text, exact=True)).to_be_visible()
        expect(panel.get_by_text(f'"{name}"')).to_be_visible()


def test_a_tool_that_failed_is_marked_and_says_why(page, mlflow_uri, searched):
    experiment, spans = searched
    failed, other = (spans[f"execute_tool get_{what}"] for what in ("weather", "time"))
    trace = f"{mlflow_uri}/#/experiments/{experiment}/traces/{failed.trace_id}"
    page.goto(trace)

    def title(span):
        node = page.get_by_test_id(f"timeline-tree-node-{span.span_id}")
        return node.get_by_text(span.name, exact=True)

    def colour(shown):
        return shown.evaluate("shown => getComputedStyle(shown).color")

    expect(title(failed)).to_be_visible()
    assert colour(title(failed)) != colour(title(other))
    title(other).click()
    expect(page.get_by_role("tab", name="Events")).to_have_count(0)
    title(failed).click()
    page.get_by_role("tab", name="Events").click()
    events = page.get_by_role("tabpanel", name="Events")
    assert colour(title(failed)) == colour(events.get_by_text("Exception", exact=True))
    expect(events.get_by_text("TimeoutError", exact=True)).to_be_visible()
    expect(events.get_by_text("no weather station answers")).to_be_visible()
