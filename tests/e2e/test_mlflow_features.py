"""What else MLflow does with traces, done with ours: each example, run as it stands."""

from __future__ import annotations

import ast
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from dirty_equals import IsPartialDict

from examples.quickstart import _agent_run

from .conftest import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities import Trace

pytestmark = pytest.mark.e2e


class Ran:
    """An example that is over: what it printed, and what its experiment holds."""

    def __init__(self, uri: str, experiment: str, output: str) -> None:
        from mlflow import MlflowClient

        self.lines = output.splitlines()
        self.client = MlflowClient(uri)
        self.id = self.client.get_experiment_by_name(experiment).experiment_id

    def found(self, condition: str | None = None) -> list[Trace]:
        """What a search finds, oldest first."""
        return list(
            self.client.search_traces(
                locations=[self.id],
                filter_string=condition,
                order_by=["timestamp_ms ASC"],
            )
        )

    def questions(self, condition: str) -> list[str]:
        return [trace.info.request_preview for trace in self.found(condition)]


@pytest.fixture
def example(mlflow_uri, simulator) -> Callable[..., Ran]:
    def run(name: str, *launcher: str, experiment: str = "", **variables: str) -> Ran:
        experiment = experiment or f"{name} {uuid.uuid4()}"
        done = subprocess.run(
            [*launcher, sys.executable, ROOT / "examples" / f"mlflow_{name}.py"],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_API_KEY": "sk-e2e",
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_EXPERIMENT_NAME": experiment,
                "MLFLOW_TRACKING_URI": mlflow_uri,
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
            }
            | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return Ran(mlflow_uri, experiment, done.stdout)

    return run


def billed(simulator) -> dict[str, int]:
    """By the simulator, in MLflow's words."""
    usages = [exchange.usage for exchange in simulator.exchanges]
    return {
        ours: sum(usage[theirs] for usage in usages)
        for ours, theirs in {
            "input_tokens": "prompt_tokens",
            "output_tokens": "completion_tokens",
            "cache_read_input_tokens": "prompt_cache_hit_tokens",
        }.items()
    }


def tree(trace: Trace) -> list[tuple[str | None, str]]:
    names = {span.span_id: span.name for span in trace.data.spans}
    return [(names.get(span.parent_id), span.name) for span in trace.data.spans]


def test_traces_are_found_by_tag_user_and_session(example):
    ran = example("search")
    refund, exchange, place = (
        "What does a refund take?",
        "And for an exchange?",
        "Where are you?",
    )
    assert ran.questions("tag.desk = 'north'") == [refund, exchange, place]
    assert ran.questions("tag.desk = 'south'") == []
    assert ran.questions("metadata.`mlflow.trace.user` = 'ada'") == [refund, exchange]
    assert ran.questions("metadata.`mlflow.trace.session` = 'talk-2'") == [place]
    assert ran.lines == [
        "tag.desk = 'north' 3",
        "metadata.`mlflow.trace.user` = 'ada' 2",
        # the sessions view: the newest first
        f"talk-2 {[place]}",
        f"talk-1 {[refund, exchange]}",
    ]


def test_an_agent_adds_to_its_trace_and_people_assess_it(example):
    ran = example(
        "feedback",
        _agent_run.instrument(),
        OTEL_TRACES_EXPORTER="mlflow",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    (trace,) = ran.found("tag.desk = 'north' AND feedback.liked = 'false'")
    assert ran.lines[-1] == str([trace.info.trace_id])
    assert tree(trace) == [(None, "answer"), ("answer", "chat deepseek-flash")]
    assert trace.info.tags == IsPartialDict(desk="north")
    assert trace.info.trace_metadata == IsPartialDict(
        {"release": "7", "mlflow.trace.user": "ada", "mlflow.trace.session": "talk"}
    )
    assert {
        (one.name, one.value, one.source.source_type, one.source.source_id)
        for one in trace.info.assessments
    } == {("liked", False, "HUMAN", "ada"), ("days", 14, "HUMAN", "ada")}


def test_a_trace_is_linked_to_a_run_and_to_a_version_of_a_prompt(example):
    ran = example("links")
    (run,) = ran.client.search_runs([ran.id])
    (of_run,) = ran.found(f"run_id = '{run.info.run_id}'")
    version = ran.lines[-1].split("'")[1]
    of_prompt = ran.found(f"prompt = '{version}'")
    assert of_run.info.trace_id in [trace.info.trace_id for trace in of_prompt]
    assert of_run.info.request_preview == "A haiku about rain."
    assert f"run_id = '{run.info.run_id}' 1" in ran.lines
    assert ran.lines[-1] == f"prompt = '{version}' 1"


def test_scorers_judge_traces_that_are_there_and_an_agent_that_makes_new_ones(
    example, simulator
):
    ran = example("evaluate")
    asked = {
        exchange.request_json["messages"][-1]["content"]: exchange
        for exchange in simulator.exchanges
    }
    judged = {
        trace.data.spans[0].name: trace
        for trace in ran.found("feedback.tokens IS NOT NULL")
    }
    for root, question in {
        "chat deepseek-flash": "What does a refund take?",
        "answer": "And an exchange?",
    }.items():
        trace, exchange = judged.pop(root), asked[question]
        given = {one.name: one for one in trace.info.assessments}
        assert given["tokens"].value == exchange.usage["total_tokens"]
        # A judge that asks DeepSeek, of what the trace says was answered.
        (verdict,) = (
            exchange
            for words, exchange in asked.items()
            if words.startswith("Is it polite?")
            and trace.data.spans[-1].outputs["choices"][0]["message"]["content"]
            in words
        )
        assert given["polite"].value in verdict.answer.decode()
    assert judged == {}


def test_an_agent_under_evaluation_has_one_tree_and_each_call_once(example):
    ran = example("evaluate")
    trees = [tree(trace) for trace in ran.found()]
    assert [(None, "answer"), ("answer", "chat deepseek-flash")] in trees
    assert "Completions" not in {name for one in trees for _, name in one}


def test_mlflows_charts_show_what_was_billed(example, simulator):
    searched = example("search")
    (name,) = {
        experiment.name
        for experiment in searched.client.search_experiments()
        if experiment.experiment_id == searched.id
    }
    shown: dict[str, Any] = {}
    for line in example("charts", experiment=name).lines:
        what, _, points = line.partition(" [")
        shown[what] = ast.literal_eval(f"[{points}")
    assert {what: shown[what] for what in billed(simulator)} == {
        what: [(float(tokens),)] for what, tokens in billed(simulator).items()
    }
    costs = [
        span.attributes["mlflow.llm.cost"]["total_cost"]
        for trace in searched.found()
        for span in trace.data.spans
        if span.span_type == "CHAT_MODEL"
    ]
    assert len(costs) == len(simulator.exchanges)
    assert shown["cost in USD"] == [
        ("deepseek-flash", pytest.approx(sum(costs), rel=1e-9))
    ]
    assert sum(costs) == pytest.approx(
        sum(trace.info.cost["total_cost"] for trace in searched.found())
    )
