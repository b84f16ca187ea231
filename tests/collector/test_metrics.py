"""metrics.yaml, Prometheus and the dashboard show what DeepSeek billed."""

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

from .application import (
    CALLS_PER_ROUND,
    FAILED_CALLS_PER_ROUND,
    STEPS_PER_ROUND,
    Application,
)
from .conftest import wait_until
from .prometheus import METRICS_CONFIG, Prometheus
from .test_dashboard import DASHBOARD

pytestmark = pytest.mark.e2e

ROUNDS = 3


@pytest.fixture(scope="module")
def measured(otelcol, tmp_path_factory):
    """The telemetry of three equal rounds of calls.

    Prometheus has scraped each round before the next one starts.
    """
    folder = tmp_path_factory.mktemp("shop")
    with (
        Simulator(pace=0.002) as simulator,
        OtlpReceiver() as backend,
        OtlpReceiver() as mlflow,
        pytest.MonkeyPatch.context() as patch,
        Collector(
            otelcol,
            folder / "otelcol",
            *METRICS_CONFIG,
            BACKEND_OTLP_ENDPOINT=backend.endpoint,
            MLFLOW_TRACKING_URI=mlflow.endpoint,
            OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
        ) as collector,
        Prometheus(folder / "prometheus", collector) as prometheus,
    ):
        host = urlsplit(simulator.base_url).netloc
        patch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", host)
        with Application(simulator, collector) as application:
            for round_number in range(1, ROUNDS + 1):
                application.run_round()
                wait_until(
                    lambda: prometheus.query(
                        "sum(gen_ai_calls_duration_seconds_count) "
                        f">= {round_number * CALLS_PER_ROUND} "  # noqa: B023  # not deferred
                        f"and sum(gen_ai_calls_cost_usd_total) > 0"
                    )
                )
        end = time.time()
        span_count = ROUNDS * (CALLS_PER_ROUND + STEPS_PER_ROUND)
        wait_until(lambda: len(backend.spans) == len(mlflow.spans) == span_count)
        yield SimpleNamespace(
            prometheus=prometheus,
            end=end,
            mlflow=mlflow,
            billed_exchanges=[
                exchange for exchange in simulator.exchanges if exchange.usage
            ],
        )


def test_token_metrics_equal_billed_tokens(measured):
    for metric, billed_tokens in {
        "input": lambda usage: usage["prompt_tokens"],
        "cached": lambda usage: usage["prompt_cache_hit_tokens"],
        "output": lambda usage: usage["completion_tokens"],
        "reasoning": lambda usage: usage["completion_tokens_details"][
            "reasoning_tokens"
        ],
    }.items():
        series = measured.prometheus.query(
            f"sum by (gen_ai_response_model) (gen_ai_calls_{metric}_tokens_total)"
        )
        billed = dict.fromkeys(("deepseek-flash", "deepseek-v4-pro"), 0)
        for exchange in measured.billed_exchanges:
            billed[exchange.request_json["model"]] += billed_tokens(exchange.usage)
        assert all(billed.values())
        assert {
            labels["gen_ai_response_model"]: value for labels, value in series
        } == billed


def test_call_sent_to_both_receivers_is_counted_once(measured):
    value = measured.prometheus.value
    assert value("sum(gen_ai_calls_duration_seconds_count)") == ROUNDS * CALLS_PER_ROUND
    assert value("sum(gen_ai_client_operation_duration_seconds_count)") == (
        ROUNDS * CALLS_PER_ROUND
    )
    assert value("sum(gen_ai_steps_duration_seconds_count)") == ROUNDS * STEPS_PER_ROUND
    assert value("sum(gen_ai_steps_failed_total)") == ROUNDS
    failed = measured.prometheus.query(
        "sum by (error_type) (gen_ai_calls_failed_total)"
    )
    assert {labels["error_type"]: value for labels, value in failed} == {
        error_type: ROUNDS * count
        for error_type, count in FAILED_CALLS_PER_ROUND.items()
    }


def test_cost_metric_equals_cost_on_mlflow_spans(measured):
    costs = [
        json.loads(span.attributes["mlflow.llm.cost"])["total_cost"]
        for span in measured.mlflow.spans
        # The span of an agent has the cost of its calls, too.
        if span.attributes.get("gen_ai.operation.name") == "chat"
        and "mlflow.llm.cost" in span.attributes
    ]
    assert len(costs) == len(measured.billed_exchanges)
    cost = measured.prometheus.value("sum(gen_ai_calls_cost_usd_total)")
    assert cost == pytest.approx(sum(costs))


def test_span_metrics_equal_application_metrics(measured):
    for token_type in ("input", "output"):
        assert measured.prometheus.value(
            f'sum(gen_ai_client_token_usage_sum{{gen_ai_token_type="{token_type}"}})'
        ) == measured.prometheus.value(f"sum(gen_ai_calls_{token_type}_tokens_total)")


def test_concurrent_batches_are_all_counted(otelcol, tmp_path):
    client_count, batch_count, span_count = 8, 200, 3
    with Collector(otelcol, tmp_path, *METRICS_CONFIG) as collector:
        tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
        call = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1}
        spans = [tracer.start_span("a", attributes=call) for _ in range(span_count)]
        for span in spans:
            span.end()
        body = encode_spans(spans).SerializeToString()

        def send_batches(_):
            connection = http.client.HTTPConnection("127.0.0.1", collector.port("HTTP"))
            for _ in range(batch_count):
                connection.request(
                    "POST",
                    "/v1/traces",
                    body,
                    {"Content-Type": "application/x-protobuf"},
                )
                response = connection.getresponse()
                assert response.status == 200
                response.read()
            connection.close()

        with ThreadPoolExecutor(client_count) as pool:
            list(pool.map(send_batches, range(client_count)))
        time.sleep(1)  # batch/counted waits up to 200 ms
        url = f"http://127.0.0.1:{collector.port('PROMETHEUS')}/metrics"
        with urllib.request.urlopen(url) as response:
            lines = response.read().decode().splitlines()
        (token_count,) = (
            line.split()[-1]
            for line in lines
            if line.startswith("gen_ai_calls_input_tokens_total")
        )
    assert int(token_count) == client_count * batch_count * span_count


def test_labels_do_not_identify_calls_or_processes(measured):
    series = measured.prometheus.query(
        '{__name__=~"gen_ai_.+|target_info", job="shop"}'
    )
    assert {name for labels, _ in series for name in labels} == {
        *("__name__", "le", "job", "instance", "server_address", "server_port"),
        *("error_type", "gen_ai_operation_name", "gen_ai_provider_name"),
        *("gen_ai_request_model", "gen_ai_response_model"),
        *("gen_ai_agent_name", "gen_ai_tool_name", "gen_ai_token_type"),
    }
    jobs_and_hosts = {
        (labels["job"], labels["instance"].partition(":")[0])
        for labels, _ in series
        if labels["__name__"].startswith(("gen_ai_calls", "gen_ai_steps"))
    }
    assert jobs_and_hosts == {("shop", "127.0.0.1")}


PANELS = {
    f"{row['title'].partition(':')[0]}: {panel['title']}": panel["targets"]
    for row, panel in (
        (
            [
                row
                for row in DASHBOARD["panels"]
                if row["type"] == "row" and row["gridPos"]["y"] < panel["gridPos"]["y"]
            ][-1],
            panel,
        )
        for panel in DASHBOARD["panels"]
        if panel["type"] != "row"
    )
}


def grafana_query(expression, interval="1m"):
    """Replaces Grafana's variables, with all services and models selected."""
    for name, value in {
        "$__rate_interval": interval,
        "$service": ".*",
        "$model": ".*",
    }.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


@pytest.mark.parametrize("panel", PANELS)
def test_panel_has_data(measured, panel):
    for target in PANELS[panel]:
        series = measured.prometheus.query(grafana_query(target["expr"]))
        assert series, target["expr"]
        for labels, value in series:
            assert 0 <= value < 1e12, target["expr"]
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            # A step has the name of an agent or of a tool, not both.
            assert legend - {"gen_ai_agent_name", "gen_ai_tool_name"} <= set(labels)


def test_dashboard_variables_have_values(measured):
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(
                r"label_values\((\w+), (\w+)\)", variable["query"]["query"]
            ).groups()
            (_, *_) = series = measured.prometheus.query(
                f"count by ({label}) ({metric})"
            )
            assert all(label in labels for labels, _ in series)


def test_ratios_and_costs_on_dashboard_equal_those_of_the_calls(measured):
    # All rounds after the first are equal, because their prompts are in the cache.
    last_round = measured.billed_exchanges[-len(measured.billed_exchanges) // ROUNDS :]
    flash_usages = [
        exchange.usage
        for exchange in last_round
        if exchange.request_json["model"] == "deepseek-flash"
    ]

    def flash_value(panel):
        # The interval of 12 s excludes the first round; Prometheus scrapes every 5 s.
        expression = grafana_query(PANELS[panel][0]["expr"], "12s")
        series = measured.prometheus.query(expression, measured.end)
        return next(v for labels, v in series if "deepseek-flash" in labels.values())

    def flash_tokens(*path):
        return sum(
            usage[path[0]][path[1]] if path[1:] else usage[path[0]]
            for usage in flash_usages
        )

    assert flash_value("Tokens: Cache hits") == pytest.approx(
        flash_tokens("prompt_cache_hit_tokens") / flash_tokens("prompt_tokens")
    )
    assert flash_value("Tokens: Reasoning") == pytest.approx(
        flash_tokens("completion_tokens_details", "reasoning_tokens")
        / flash_tokens("completion_tokens")
    )
    assert flash_value("Model calls: Failed calls") == pytest.approx(1 / 4)
    per_call = flash_value("Cost: USD per hour, by model") / (
        3600 * flash_value("Model calls: Calls")
    )
    per_token = per_call * 4 / 3 / (flash_tokens("total_tokens") / len(flash_usages))
    # From the price of a cache hit off-peak to that of an output token in peak hours.
    assert 0.003e-6 < per_token < 1.2e-6


def test_prometheus_evaluates_every_alert(measured):
    rules = measured.prometheus.alerting_rules()
    wait_until(
        lambda: {rule["health"] for rule in rules.values()} == {"ok"}, timeout=10
    )
    # A quarter of the calls failed; the alert would fire after 5 minutes.
    assert rules["CallErrorRateHigh"]["state"] == "pending"
    for name in (
        "CallLatencyHigh",
        "CostHigh",
        "QueueNearlyFull",
        "DestinationUnreachable",
    ):
        assert rules[name]["state"] == "inactive"
        # Without its threshold the expression has data, so the alert can fire.
        expression = re.split(r" > [\d.]+", rules[name]["query"])[0]
        assert measured.prometheus.query(expression)
