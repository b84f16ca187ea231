"""Runs each of the examples of MLflow features and tests its traces."""

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


class ExampleRun:
    """A completed example, with its output and its experiment."""

    def __init__(self, uri: str, experiment: str, output: str) -> None:
        from mlflow import MlflowClient

        self.lines = output.splitlines()
        self.client = MlflowClient(uri)
        self.experiment_id = self.client.get_experiment_by_name(
            experiment
        ).experiment_id

    def search(self, condition: str | None = None) -> list[Trace]:
        """Returns the traces that match, oldest first."""
        return list(
            self.client.search_traces(
                locations=[self.experiment_id],
                filter_string=condition,
                order_by=["timestamp_ms ASC"],
            )
        )

    def questions(self, condition: str) -> list[str]:
        return [trace.info.request_preview for trace in self.search(condition)]


@pytest.fixture
def example(mlflow_uri, simulator) -> Callable[..., ExampleRun]:
    def run(
        name: str, *launcher: str, experiment: str = "", **variables: str
    ) -> ExampleRun:
        experiment = experiment or f"{name} {uuid.uuid4()}"
        process = subprocess.run(
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
        assert process.returncode == 0, process.stderr
        return ExampleRun(mlflow_uri, experiment, process.stdout)

    return run


def billed_tokens(simulator) -> dict[str, int]:
    """Returns the tokens that the simulator billed, under MLflow's names."""
    usages = [exchange.usage for exchange in simulator.exchanges]
    return {
        mlflow_name: sum(usage[deepseek_name] for usage in usages)
        for mlflow_name, deepseek_name in {
            "input_tokens": "prompt_tokens",
            "output_tokens": "completion_tokens",
            "cache_read_input_tokens": "prompt_cache_hit_tokens",
        }.items()
    }


def tree(trace: Trace) -> list[tuple[str | None, str]]:
    names = {span.span_id: span.name for span in trace.data.spans}
    return [(names.get(span.parent_id), span.name) for span in trace.data.spans]


def test_traces_are_found_by_tag_user_and_session(example):
    run = example("search")
    refund, exchange, place = (
        "What does a refund take?",
        "And for an exchange?",
        "Where are you?",
    )
    assert run.questions("tag.desk = 'north'") == [refund, exchange, place]
    assert run.questions("tag.desk = 'south'") == []
    assert run.questions("metadata.`mlflow.trace.user` = 'ada'") == [refund, exchange]
    assert run.questions("metadata.`mlflow.trace.session` = 'talk-2'") == [place]
    assert run.lines == [
        "tag.desk = 'north' 3",
        "metadata.`mlflow.trace.user` = 'ada' 2",
        # sessions are sorted newest first
        f"talk-2 {[place]}",
        f"talk-1 {[refund, exchange]}",
    ]


def test_program_updates_its_trace_and_logs_feedback(example):
    run = example(
        "feedback",
        _agent_run.opentelemetry_instrument(),
        OTEL_TRACES_EXPORTER="mlflow",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    (trace,) = run.search("tag.desk = 'north' AND feedback.liked = 'false'")
    assert run.lines[-1] == str([trace.info.trace_id])
    assert tree(trace) == [(None, "answer"), ("answer", "chat deepseek-flash")]
    assert trace.info.tags == IsPartialDict(desk="north")
    assert trace.info.trace_metadata == IsPartialDict(
        {"release": "7", "mlflow.trace.user": "ada", "mlflow.trace.session": "talk"}
    )
    assert {
        (
            assessment.name,
            assessment.value,
            assessment.source.source_type,
            assessment.source.source_id,
        )
        for assessment in trace.info.assessments
    } == {("liked", False, "HUMAN", "ada"), ("days", 14, "HUMAN", "ada")}


def test_trace_is_linked_to_run_and_prompt_version(example):
    run = example("links")
    (mlflow_run,) = run.client.search_runs([run.experiment_id])
    run_id = mlflow_run.info.run_id
    (run_trace,) = run.search(f"run_id = '{run_id}'")
    version = run.lines[-1].split("'")[1]
    prompt_traces = run.search(f"prompt = '{version}'")
    assert run_trace.info.trace_id in [trace.info.trace_id for trace in prompt_traces]
    assert run_trace.info.request_preview == "A haiku about rain."
    assert f"run_id = '{run_id}' 1" in run.lines
    assert run.lines[-1] == f"prompt = '{version}' 1"


def test_scorers_evaluate_existing_traces_and_new_traces_of_an_agent(
    example, simulator
):
    run = example("evaluate")
    exchanges_by_question = {
        exchange.request_json["messages"][-1]["content"]: exchange
        for exchange in simulator.exchanges
    }
    traces_by_root = {
        trace.data.spans[0].name: trace
        for trace in run.search("feedback.tokens IS NOT NULL")
    }
    for root, question in {
        "chat deepseek-flash": "What does a refund take?",
        "answer": "And an exchange?",
    }.items():
        trace = traces_by_root.pop(root)
        exchange = exchanges_by_question[question]
        assessments = {
            assessment.name: assessment for assessment in trace.info.assessments
        }
        assert assessments["tokens"].value == exchange.usage["total_tokens"]
        # The scorer asks DeepSeek about the recorded answer.
        (judge_exchange,) = (
            exchange
            for judge_question, exchange in exchanges_by_question.items()
            if judge_question.startswith("Is it polite?")
            and trace.data.spans[-1].outputs["choices"][0]["message"]["content"]
            in judge_question
        )
        assert assessments["polite"].value in judge_exchange.response_body.decode()
    assert traces_by_root == {}


def test_evaluated_agent_has_one_tree_with_each_call_once(example):
    run = example("evaluate")
    trees = [tree(trace) for trace in run.search()]
    assert [(None, "answer"), ("answer", "chat deepseek-flash")] in trees
    assert "Completions" not in {name for spans in trees for _, name in spans}


def test_charts_show_the_billed_tokens_and_costs(example, simulator):
    search_run = example("search")
    (name,) = {
        experiment.name
        for experiment in search_run.client.search_experiments()
        if experiment.experiment_id == search_run.experiment_id
    }
    charts: dict[str, Any] = {}
    for line in example("charts", experiment=name).lines:
        title, _, points = line.partition(" [")
        charts[title] = ast.literal_eval(f"[{points}")
    assert {name: charts[name] for name in billed_tokens(simulator)} == {
        name: [(float(tokens),)] for name, tokens in billed_tokens(simulator).items()
    }
    costs = [
        span.attributes["mlflow.llm.cost"]["total_cost"]
        for trace in search_run.search()
        for span in trace.data.spans
        if span.span_type == "CHAT_MODEL"
    ]
    assert len(costs) == len(simulator.exchanges)
    assert charts["cost in USD"] == [
        ("deepseek-flash", pytest.approx(sum(costs), rel=1e-9))
    ]
    assert sum(costs) == pytest.approx(
        sum(trace.info.cost["total_cost"] for trace in search_run.search())
    )
