"""The tables agree, and every fact fails where it does not hold."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.comparison._prices import is_peak
from tests.side_by_side import __main__ as command_line
from tests.side_by_side._cell import Cell, Runs, Value, of_all
from tests.side_by_side._content_facts import CALLS_WITH_DEFAULT
from tests.side_by_side._facts import FACTS, check_facts
from tests.side_by_side._record import Record
from tests.side_by_side._results import Result, read, save
from tests.side_by_side._table import PAGE, results_page, summary
from tests.side_by_side._worker_process import NO_INSTRUMENTATION, run_worker
from tests.side_by_side.worker.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e

RESULTS = Path(__file__).with_name("results.md")
# What this package does not have, with the spans of the instrumentation alone.
MISSING = {"cost", "visible retry"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs of this package, in the environment of the test."""
    folder = tmp_path_factory.mktemp("side-by-side")
    content = SUBJECTS["deepseek"].content
    with ThreadPoolExecutor(2) as executor:
        run = partial(executor.submit, run_worker)
        bare = run(NO_INSTRUMENTATION, folder / "bare.json")
        recorded = run("deepseek", folder / "content.json", variables=content)
        default = run("deepseek", folder / "default.json", calls=CALLS_WITH_DEFAULT)
        return Runs(bare.result(), default.result(), recorded.result())


def test_files_have_the_results():
    """They are written by `python -m tests.side_by_side --results FILE --docs`."""
    results = read(RESULTS.with_suffix(".json"))
    assert list(results) == list(SUBJECTS)
    assert RESULTS.read_text(encoding="utf-8") == results_page(results)
    assert PAGE.read_text(encoding="utf-8").count(summary(results)) == 1


def test_results_have_all_facts_of_each_instrumentation():
    titles = [fact.title for fact in FACTS]
    assert len(set(titles)) == len(titles)
    for name, result in read(RESULTS.with_suffix(".json")).items():
        assert list(result.cells) == titles, name
        assert set(SUBJECTS[name].remarks) <= set(titles)


def test_results_of_this_package_match_a_new_run(runs):
    saved = read(RESULTS.with_suffix(".json"))["deepseek"].cells
    cells = check_facts(runs)
    assert {title: cell.value for title, cell in cells.items()} == {
        title: cell.value for title, cell in saved.items()
    }
    assert {t for t, cell in cells.items() if cell.value is not Value.YES} == MISSING


def test_sdk_alone_has_no_fact(runs):
    cells = check_facts(Runs(runs.bare, runs.bare, runs.bare))
    assert {t: cell for t, cell in cells.items() if cell.value is not Value.NO} == {}


def spans_of(data: dict[str, Any], call: str) -> list[dict[str, Any]]:
    (start, end) = next(
        (c["start_ns"], c["end_ns"]) for c in data["calls"] if c["name"] == call
    )
    return [span for span in data["spans"] if start <= span["start_ns"] <= end]


def replace(call: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    """Replaces a text everywhere in the spans of a call."""

    def change(data: dict[str, Any]) -> None:
        for span in spans_of(data, call):
            text = json.dumps(span)
            assert old in text
            span.clear()
            span.update(json.loads(text.replace(old, new)))

    return change


def set_field(call: str, **fields: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for span in spans_of(data, call):
            span.update(fields)

    return change


def remove(call: str, attribute: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for span in spans_of(data, call):
            del span["attributes"][attribute]

    return change


def set_attribute(
    call: str, attribute: str, value: Any
) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for span in spans_of(data, call):
            span["attributes"][attribute] = value

    return change


def add_span(data: dict[str, Any]) -> None:
    data["spans"] += deepcopy(spans_of(data, "stream"))


def end_early(data: dict[str, Any]) -> None:
    for span in spans_of(data, "stream"):
        span["end_ns"] = span["start_ns"] + 1


def remove_metrics(data: dict[str, Any]) -> None:
    data["metrics"] = []


def add_header(data: dict[str, Any]) -> None:
    data["exchanges"][0]["headers"]["traceparent"] = "00-1-2-01"


def add_stream_options(data: dict[str, Any]) -> None:
    body = json.loads(data["exchanges"][1]["request_body"])
    body["stream_options"] = {"include_usage": True}
    data["exchanges"][1]["request_body"] = json.dumps(body)


def change_type(data: dict[str, Any]) -> None:
    (call,) = (call for call in data["calls"] if call["name"] == "stream")
    call["results"]["isinstance(stream, Stream)"] = False


def change_exception(data: dict[str, Any]) -> None:
    (call,) = (call for call in data["calls"] if call["name"] == "error")
    call["results"]["raises"] = "ValueError"


# One change, at least, after which a fact does not hold any more.
CHANGES: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("one span per call", add_span),
    ("span ends with the stream", end_early),
    ("stream left early", set_field("stream_left", status="ERROR")),
    ("broken stream", set_field("stream_dropped", status="UNSET")),
    ("stream without a finish reason", set_field("stream_cut", status="UNSET")),
    ("part of an answer", replace("stream_left", "strawber", "")),
    ("fill-in-the-middle", replace("fim", "add(a, b)", "")),
    ("Responses API", remove("responses", "gen_ai.output.messages")),
    ("raw responses", remove("raw_stream", "gen_ai.output.messages")),
    ("application span", set_field("application", parent_id=None)),
    ("question and answer", remove("async_stream", "gen_ai.input.messages")),
    ("question and answer", replace("stream", "contains", "has")),
    ("reasoning", replace("stream", "We need to count", "")),
    ("tool definitions", remove("tools", "gen_ai.tool.definitions")),
    ("tool calls", remove("stream_tools", "gen_ai.output.messages")),
    ("tool results", replace("tools_follow_up", "drizzle", "")),
    ("tokens of a call", set_attribute("chat", "gen_ai.usage.input_tokens", 1)),
    ("tokens of a stream", remove("stream", "gen_ai.usage.output_tokens")),
    ("cache-hit tokens", remove("chat", "gen_ai.usage.cache_read.input_tokens")),
    ("reasoning tokens", remove("stream", "gen_ai.usage.reasoning.output_tokens")),
    ("provider `deepseek`", set_attribute("chat", "gen_ai.provider.name", "openai")),
    ("models", remove("alias", "gen_ai.request.model")),
    ("finish reason", replace("tools", "tool_call", "x")),
    ("time to first chunk", remove("stream", "gen_ai.response.time_to_first_chunk")),
    ("server", remove("chat", "server.port")),
    ("error type and HTTP status", remove("error", "http.response.status_code")),
    ("no part of the API key", set_field("error", description="****w9Vj is invalid")),
    ("metrics", remove_metrics),
    ("GenAI conventions", set_attribute("chat", "gen_ai.invented", "x")),
    ("GenAI conventions", set_field("chat", kind="INTERNAL")),
    ("GenAI conventions", replace("chat", '\\"reasoning\\"', '\\"thoughts\\"')),
    ("request unchanged", add_header),
    ("request unchanged", add_stream_options),
    ("result unchanged", change_type),
    ("result unchanged", change_exception),
]


@pytest.mark.parametrize(
    ("title", "change"),
    CHANGES,
    ids=[f"{title} {number}" for number, (title, _) in enumerate(CHANGES)],
)
def test_fact_does_not_hold_after_a_change(runs, title, change):
    data = deepcopy(runs.content.data)
    change(data)
    (fact,) = (fact for fact in FACTS if fact.title == title)
    assert fact.check(runs).value is Value.YES
    cell = fact.check(Runs(runs.bare, runs.default, Record(data)))
    assert cell.value is not Value.YES


def test_every_fact_that_holds_has_a_change():
    titles = {title for title, _ in CHANGES}
    others = MISSING | {"no content by default"}
    assert {fact.title for fact in FACTS} == titles | others


def test_recorded_content_is_content_by_default(runs):
    (fact,) = (fact for fact in FACTS if fact.title == "no content by default")
    cell = fact.check(Runs(runs.bare, runs.content, runs.content))
    note = "records question, answer, reasoning, tool call"
    assert cell == Cell(Value.NO, note)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(1, Value.YES), (2, Value.NO), (0, Value.NO)],
)
def test_cost_has_to_be_the_price(runs, factor, expected):
    # In USD: tokens that miss the cache, that hit it, and of the output.
    prices = {"cache_miss": 0.15e-6, "cache_hit": 0.003e-6, "output": 0.6e-6}
    data = deepcopy(runs.content.data)
    content = runs.content
    for call in ("chat", "stream", "tools", "alias"):
        usage = content[call].usage
        cost = (
            usage["prompt_cache_miss_tokens"] * prices["cache_miss"]
            + usage["prompt_cache_hit_tokens"] * prices["cache_hit"]
            + usage["completion_tokens"] * prices["output"]
        )
        peak_factor = 2 if is_peak(content[call].start_ns) else 1
        set_attribute(call, "gen_ai.usage.cost", factor * peak_factor * cost)(data)
    (fact,) = (fact for fact in FACTS if fact.title == "cost")
    cell = fact.check(Runs(runs.bare, runs.default, Record(data)))
    assert cell.value is expected


def test_http_spans_make_a_retry_visible(runs):
    data = deepcopy(runs.content.data)
    (span,) = spans_of(data, "retry")
    request = deepcopy(span) | {"attributes": {"http.method": "POST"}}
    data["spans"] += [request, request]
    cells = check_facts(Runs(runs.bare, runs.default, Record(data)))
    assert cells["visible retry"].value is Value.YES
    assert cells["one span per call"].value is Value.YES


def test_value_in_the_body_only_counts_in_part(runs):
    data = deepcopy(runs.content.data)
    for call in ("chat", "stream"):
        (span,) = spans_of(data, call)
        count = span["attributes"].pop("gen_ai.usage.reasoning.output_tokens")
        body = {"usage": {"completion_tokens_details": {"reasoning_tokens": count}}}
        span["attributes"]["output.value"] = json.dumps(body)
    cells = check_facts(Runs(runs.bare, runs.default, Record(data)))
    note = "only in the body of the response"
    assert cells["reasoning tokens"] == Cell(Value.IN_PART, note)


def test_note_names_what_differs():
    yes, no = Cell(Value.YES), Cell(Value.NO, "no span")
    assert of_all([("a", yes), ("b", yes)]) == yes
    assert of_all([("a", no), ("b", no)]) == no
    cell = Cell(Value.IN_PART, "b, c: no span; not for d")
    results = [("a", yes), ("b", no), ("c", no), ("d", Cell(Value.NO))]
    assert of_all(results) == cell


def test_results_of_the_others_are_kept(tmp_path):
    file = tmp_path / "results.json"
    openlit = Result("1.0", "2.0", "3.11", "2026-11-28", cells={"cost": Cell(Value.NO)})
    failed = Result(failure="the installation fails")
    save(file, {"openlit": openlit})
    assert save(file, {"deepseek": failed}) == {"deepseek": failed, "openlit": openlit}
    assert read(file) == {"deepseek": failed, "openlit": openlit}
    assert "No result: the installation fails" in results_page(read(file))


def test_failure_of_one_does_not_stop_the_others(tmp_path, monkeypatch):
    def run_subject(subject, folder):
        if subject.name == "openlit":
            raise subprocess.CalledProcessError(1, ("uv", "pip", "install"))
        raise OSError("no space left")

    monkeypatch.setattr(command_line, "run_subject", run_subject)
    file = tmp_path / "results.md"
    options = ["--results", str(file), "--folder", str(tmp_path), "--only"]
    assert command_line.main([*options, "openlit", "logfire"]) == 1
    assert {
        name: result.failure for name, result in read(tmp_path / "results.json").items()
    } == {
        "openlit": "the installation fails",
        "logfire": "OSError: no space left",
    }
