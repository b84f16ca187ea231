"""metrics.yaml, Prometheus, the dashboard: what they show is what DeepSeek billed."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider

from examples.otelcol import Collector
from examples.otlp_receiver import OtlpReceiver
from examples.simulator import Simulator

from .conftest import eventually
from .prometheus import CONFIGURED, Prometheus
from .shop import CALLS, FAILED, STEPS, Application
from .test_dashboard import BOARD

pytestmark = pytest.mark.e2e

ROUNDS = 3


@pytest.fixture(scope="module")
def shop(otelcol, tmp_path_factory):
    """Three equal rounds of calls, each of them in Prometheus before the next."""
    folder = tmp_path_factory.mktemp("shop")
    with (
        Simulator(pace=0.002) as simulator,
        OtlpReceiver() as backend,
        OtlpReceiver() as mlflow,
        pytest.MonkeyPatch.context() as patch,
        Collector(
            otelcol,
            folder / "otelcol",
            *CONFIGURED,
            BACKEND_OTLP_ENDPOINT=backend.endpoint,
            MLFLOW_TRACKING_URI=mlflow.endpoint,
            OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
        ) as collector,
        Prometheus(folder / "prometheus", collector) as prometheus,
    ):
        gateway = urlsplit(simulator.base_url).netloc
        patch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", gateway)
        with Application(simulator, collector) as application:
            for number in range(1, ROUNDS + 1):
                application.round()
                eventually(
                    lambda: prometheus.query(
                        "sum(gen_ai_calls_duration_seconds_count) "
                        f">= {number * CALLS} "  # noqa: B023  # at once
                        f"and sum(gen_ai_calls_cost_usd_total) > 0"
                    )
                )
        ended = time.time()
        spans = ROUNDS * (CALLS + STEPS)
        eventually(lambda: len(backend.spans) == len(mlflow.spans) == spans)
        yield SimpleNamespace(
            prometheus=prometheus,
            ended=ended,
            mlflow=mlflow,
            billed=[one for one in simulator.exchanges if one.usage],
        )


def test_tokens_are_what_was_billed(shop):
    for metric, of_usage in {
        "input": lambda usage: usage["prompt_tokens"],
        "cached": lambda usage: usage["prompt_cache_hit_tokens"],
        "output": lambda usage: usage["completion_tokens"],
        "reasoning": lambda usage: usage["completion_tokens_details"][
            "reasoning_tokens"
        ],
    }.items():
        counted = shop.prometheus.query(
            f"sum by (gen_ai_response_model) (gen_ai_calls_{metric}_tokens_total)"
        )
        billed = dict.fromkeys(("deepseek-flash", "deepseek-v4-pro"), 0)
        for one in shop.billed:
            billed[one.json["model"]] += of_usage(one.usage)
        assert all(billed.values())
        assert {
            labels["gen_ai_response_model"]: value for labels, value in counted
        } == billed


def test_a_call_that_comes_in_two_copies_counts_once(shop):
    value = shop.prometheus.value
    assert value("sum(gen_ai_calls_duration_seconds_count)") == ROUNDS * CALLS
    assert value("sum(gen_ai_client_operation_duration_seconds_count)") == (
        ROUNDS * CALLS
    )
    assert value("sum(gen_ai_steps_duration_seconds_count)") == ROUNDS * STEPS
    assert value("sum(gen_ai_steps_failed_total)") == ROUNDS
    failed = shop.prometheus.query("sum by (error_type) (gen_ai_calls_failed_total)")
    assert {labels["error_type"]: value for labels, value in failed} == {
        kind: ROUNDS * count for kind, count in FAILED.items()
    }


def test_cost_is_that_of_the_spans_in_mlflow(shop):
    costs = [
        json.loads(span.attributes["mlflow.llm.cost"])["total_cost"]
        for span in shop.mlflow.spans
        if "mlflow.llm.cost" in span.attributes
    ]
    assert len(costs) == len(shop.billed)
    counted = shop.prometheus.value("sum(gen_ai_calls_cost_usd_total)")
    assert counted == pytest.approx(sum(costs))


def test_the_two_ways_of_measuring_agree(shop):
    for kind in ("input", "output"):
        assert shop.prometheus.value(
            f'sum(gen_ai_client_token_usage_sum{{gen_ai_token_type="{kind}"}})'
        ) == shop.prometheus.value(f"sum(gen_ai_calls_{kind}_tokens_total)")


def test_batches_that_come_at_once_are_all_counted(otelcol, tmp_path):
    clients, batches, spans = 8, 200, 3
    with Collector(otelcol, tmp_path, *CONFIGURED) as collector:
        tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
        call = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1}
        made = [tracer.start_span("a", attributes=call) for _ in range(spans)]
        for span in made:
            span.end()
        body = encode_spans(made).SerializeToString()

        def client(_):
            connection = http.client.HTTPConnection("127.0.0.1", collector.port("HTTP"))
            for _ in range(batches):
                connection.request(
                    "POST",
                    "/v1/traces",
                    body,
                    {"Content-Type": "application/x-protobuf"},
                )
                answer = connection.getresponse()
                assert answer.status == 200
                answer.read()
            connection.close()

        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(client, range(clients)))
        time.sleep(1)  # metrics.yaml: batches wait for 200 ms
        exposed = f"http://127.0.0.1:{collector.port('PROMETHEUS')}/metrics"
        with urllib.request.urlopen(exposed) as answer:
            lines = answer.read().decode().splitlines()
        (counted,) = (
            line.split()[-1]
            for line in lines
            if line.startswith("gen_ai_calls_input_tokens_total")
        )
    assert int(counted) == clients * batches * spans


def test_no_label_has_a_value_for_each_call_or_process(shop):
    series = shop.prometheus.query('{__name__=~"gen_ai_.+|target_info", job="shop"}')
    assert {name for labels, _ in series for name in labels} == {
        *("__name__", "le", "job", "instance", "server_address", "server_port"),
        *("error_type", "gen_ai_operation_name", "gen_ai_provider_name"),
        *("gen_ai_request_model", "gen_ai_response_model"),
        *("gen_ai_agent_name", "gen_ai_tool_name", "gen_ai_token_type"),
    }
    counted = {
        (labels["job"], labels["instance"].partition(":")[0])
        for labels, _ in series
        if labels["__name__"].startswith(("gen_ai_calls", "gen_ai_steps"))
    }
    assert counted == {("shop", "127.0.0.1")}


PANELS = {
    f"{row['title'].partition(':')[0]}: {panel['title']}": panel["targets"]
    for row, panel in (
        (
            [
                row
                for row in BOARD["panels"]
                if row["type"] == "row" and row["gridPos"]["y"] < panel["gridPos"]["y"]
            ][-1],
            panel,
        )
        for panel in BOARD["panels"]
        if panel["type"] != "row"
    )
}


def asked(expression, interval="1m"):
    """As Grafana asks, with all services and models."""
    for name, value in {
        "$__rate_interval": interval,
        "$service": ".*",
        "$model": ".*",
    }.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


@pytest.mark.parametrize("panel", PANELS)
def test_each_panel_has_data(shop, panel):
    for target in PANELS[panel]:
        shown = shop.prometheus.query(asked(target["expr"]))
        assert shown, target["expr"]
        for labels, value in shown:
            assert 0 <= value < 1e12, target["expr"]
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            # A step is an agent's or a tool's.
            assert legend - {"gen_ai_agent_name", "gen_ai_tool_name"} <= set(labels)


def test_each_variable_has_values(shop):
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(
                r"label_values\((\w+), (\w+)\)", variable["query"]["query"]
            ).groups()
            (_, *_) = found = shop.prometheus.query(f"count by ({label}) ({metric})")
            assert all(label in labels for labels, _ in found)


def test_shares_and_costs_on_the_dashboard_are_those_of_the_calls(shop):
    # All rounds but the first are equal: DeepSeek has their prompts in its cache.
    last = shop.billed[-len(shop.billed) // ROUNDS :]
    flash = [one.usage for one in last if one.json["model"] == "deepseek-flash"]

    def of_flash(panel):
        # Looked at every 5 s: a rate that begins after the first round.
        expression = asked(PANELS[panel][0]["expr"], "12s")
        shown = shop.prometheus.query(expression, shop.ended)
        return next(v for labels, v in shown if "deepseek-flash" in labels.values())

    def tokens(*path):
        return sum(u[path[0]][path[1]] if path[1:] else u[path[0]] for u in flash)

    assert of_flash("Tokens: Cache hits") == pytest.approx(
        tokens("prompt_cache_hit_tokens") / tokens("prompt_tokens")
    )
    assert of_flash("Tokens: Reasoning") == pytest.approx(
        tokens("completion_tokens_details", "reasoning_tokens")
        / tokens("completion_tokens")
    )
    assert of_flash("Calls of models: Calls that fail") == pytest.approx(1 / 4)
    per_call = of_flash("Cost: USD per hour, by model") / (
        3600 * of_flash("Calls of models: Calls")
    )
    per_token = per_call * 4 / 3 / (tokens("total_tokens") / len(flash))
    # USD, of a hit in the cache off-peak and of an answer in peak hours.
    assert 0.003e-6 < per_token < 1.2e-6


def test_prometheus_evaluates_every_alert(shop):
    rules = shop.prometheus.alerts()
    eventually(lambda: {r["health"] for r in rules.values()} == {"ok"}, patience=10)
    # A quarter of the calls: it would ring in five minutes.
    assert rules["CallsFail"]["state"] == "pending"
    for name in ("CallsSlow", "CostHigh", "QueueNearlyFull", "DestinationUnreachable"):
        assert rules[name]["state"] == "inactive"
        # It could ring: without its threshold it has data.
        expression = re.split(r" > [\d.]+", rules[name]["query"])[0]
        assert shop.prometheus.query(expression)
