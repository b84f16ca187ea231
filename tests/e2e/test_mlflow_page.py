"""Tests what MLflow's page shows of traces of the quickstart and other programs."""

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
from examples.quickstart._recorded_trace import to_recorded_trace
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.comparison._mlflow_page import (
    chromium_path,
    launch_browser,
    new_page,
    open_panel,
)
from tests.comparison._program_run import run as run_program
from tests.comparison._programs import PROGRAMS, Program
from tests.skipping import skip_unless_ci

pytestmark = pytest.mark.e2e
SCREENSHOT = Path(__file__).parents[2] / "docs" / "trace-in-mlflow.png"


@pytest.fixture(scope="module")
def browser():
    if chromium_path() is None:
        reason = "needs Chromium: apt-get install chromium"
        skip_unless_ci(reason)
    with launch_browser() as browser:
        yield browser


@pytest.fixture
def page(browser):
    with new_page(browser) as page:
        yield page


@pytest.fixture
def trace_url(quickstart_run, mlflow_uri):
    """The URL of the trace, as the quickstart prints it."""
    url = _report.trace_url(mlflow_uri, to_recorded_trace(quickstart_run.trace))
    assert url in quickstart_run.output
    return url


def test_trace_list_shows_name_previews_user_session_status_and_tokens(
    page, quickstart_run, trace_url
):
    info = quickstart_run.trace.info
    page.set_viewport_size({"width": 2000, "height": 1000})
    page.goto(trace_url.rpartition("/")[0])
    page.get_by_role("button", name="Display").click()
    page.get_by_role("menuitem", name="Columns").click()
    for column in ("Trace name", "User"):
        page.get_by_role("menuitemcheckbox", name=column).click()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    row = page.get_by_role("row").filter(has_text=info.request_preview)
    expect(row).to_have_count(1)
    for text in (
        "weather talk",
        info.request_preview,
        info.response_preview,
        "ada",
        info.trace_metadata["mlflow.trace.session"],
        "OK",
        str(info.token_usage["total_tokens"]),
    ):
        expect(row).to_contain_text(text)


def test_model_call_is_shown_as_chat_with_reasoning(page, quickstart_run, trace_url):
    page.goto(trace_url)
    page.get_by_role("button", name="Full screen").click()
    # The second call has the question, the tool results and the answer.
    page.get_by_text("chat deepseek-flash").nth(1).click()

    chat = page.get_by_role("tabpanel")
    info = quickstart_run.trace.info
    expect(chat.get_by_text(info.request_preview, exact=True)).to_be_visible()
    expect(chat.get_by_text("get_weather").first).to_be_visible()
    expect(chat.get_by_text(info.response_preview, exact=True)).to_be_visible()
    reasonings = (
        "The user asks about 2 things. I should call get_weather once for each",
        "All 2 results are in. I should answer from that and add nothing",
    )
    for position, reasoning in enumerate(reasonings):
        expect(chat.get_by_text(reasoning)).to_have_count(0)
        chat.get_by_text("Reasoning", exact=True).nth(position).click()
        expect(chat.get_by_text(reasoning)).to_be_visible()

    if os.environ.get("UPDATE_SCREENSHOT"):
        page.set_viewport_size({"width": 1400, "height": 1300})
        page.mouse.move(700, 600)
        page.mouse.wheel(0, -5000)  # to the question
        page.wait_for_timeout(1000)
        page.mouse.move(0, 0)
        SCREENSHOT.parent.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOT, animations="disabled")


@pytest.fixture
def panel(page, mlflow_uri):
    """A function that runs a program and opens the panel of its first span."""

    def open_first_span(program):
        from mlflow import MlflowClient

        name = f"{program.title} on the page {time.time_ns()}"
        run = run_program("this package", program, MlflowClient(mlflow_uri), name)
        (trace,) = run.traces
        return open_panel(page, mlflow_uri, run.experiment_id, trace.data.spans[0])

    return open_first_span


def test_image_in_question_is_displayed(panel):
    chat = panel(Program("image", "vision.py", "chat deepseek-flash"))
    expect(chat.get_by_text("Which colour is this square?", exact=True)).to_be_visible()
    picture = chat.locator("img")  # no role, because the alt text is empty
    expect(picture).to_have_count(1)
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") == 48


def test_parallel_tool_calls_are_both_shown(panel):
    chat = panel(PROGRAMS["parallel tools"])
    expect(chat.get_by_text("Tool calls", exact=True)).to_be_visible()
    expect(chat.get_by_text("get_weather", exact=True)).to_have_count(2)
    for place in ("Hangzhou", "Beijing"):
        expect(chat.get_by_text(place, exact=True)).to_be_visible()
    reasoning = chat.get_by_text("Need weather for both.")
    expect(reasoning).to_have_count(0)
    chat.get_by_text("Reasoning", exact=True).click()
    expect(reasoning).to_be_visible()
    # The list of definitions is folded, and so is each definition.
    chat.get_by_role("button").first.click()
    chat.get_by_role("button", name="get_weather").click()
    expect(chat.get_by_text("Weather of a place", exact=True)).to_be_visible()


def test_agent_with_mlflow_trace_is_a_tree_of_calls_and_tools(panel, page):
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


def test_fim_completion_is_shown_as_question_and_answer(panel):
    chat = panel(PROGRAMS["FIM"])
    expect(chat.get_by_text("User", exact=True)).to_be_visible()
    expect(chat.get_by_text("def fib(a):")).to_be_visible()
    expect(chat.get_by_text("fib(a-1) + fib(a-2)")).to_be_visible()
    expect(chat.get_by_text("Assistant", exact=True)).to_be_visible()
    expect(chat).to_contain_text("if a <= 1:")


def test_failed_call_shows_question_and_reason(panel, page):
    chat = panel(PROGRAMS["error"])
    question = chat.get_by_text("How many r's are in strawberry?")
    expect(question).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Error", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Events").click()
    events = page.get_by_role("tabpanel", name="Events")
    expect(events).to_contain_text("Insufficient Balance")


def document(name, text):
    return {"id": name, "score": 0.9, "content": text}


@pytest.fixture
def search_trace(mlflow_uri):
    """The experiment and spans of a trace with a retrieval and two tools.

    One of the tools fails.
    """
    from mlflow import MlflowClient

    client = MlflowClient(mlflow_uri)
    experiment = client.create_experiment(f"search on the page {time.time_ns()}")
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


def test_documents_of_retrieval_are_shown(page, mlflow_uri, search_trace):
    experiment, spans = search_trace
    panel = open_panel(page, mlflow_uri, experiment, spans["retrieval"])
    expect(panel.get_by_text("Where is Paris?", exact=True)).to_be_visible()
    for text, name in (("Paris is in France.", "d1"), ("So is Nice.", "d2")):
        expect(panel.get_by_text(text, exact=True)).to_be_visible()
        expect(panel.get_by_text(f'"{name}"')).to_be_visible()


def test_failed_tool_is_marked_and_shows_reason(page, mlflow_uri, search_trace):
    experiment, spans = search_trace
    failed = spans["execute_tool get_weather"]
    other = spans["execute_tool get_time"]
    failed_trace_url = (
        f"{mlflow_uri}/#/experiments/{experiment}/traces/{failed.trace_id}"
    )
    page.goto(failed_trace_url)

    def title(span):
        node = page.get_by_test_id(f"timeline-tree-node-{span.span_id}")
        return node.get_by_text(span.name, exact=True)

    def colour(locator):
        return locator.evaluate("element => getComputedStyle(element).color")

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
