"""The alerts of alerts.yaml fire when they should, and only then."""

from __future__ import annotations

import re
import subprocess

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

from examples.otelcol import Collector
from examples.otlp_receiver import OtlpReceiver

from .conftest import wait_until
from .prometheus import (
    METRICS_CONFIG,
    PROMETHEUS_FOLDER,
    Prometheus,
    require_prometheus,
)

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "prometheus.yaml"),
        ("test", "rules", "alerts_test.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_reports_no_error(command):
    require_prometheus()
    process = subprocess.run(
        ["promtool", *command],
        cwd=PROMETHEUS_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_every_alert_has_a_unit_test():
    tests = (PROMETHEUS_FOLDER / "alerts_test.yaml").read_text()
    names = re.findall(r"alert: (\w+)", (PROMETHEUS_FOLDER / "alerts.yaml").read_text())
    assert [name for name in names if f"alertname: {name}\n" not in tests] == []


def test_alerts_fire_for_lost_refused_and_queued_spans(otelcol, tmp_path):
    small_queue = tmp_path / "small_queue.yaml"
    small_queue.write_text(
        "exporters: {otlp_http/backend: {sending_queue: {queue_size: 600}}}"
    )
    with (
        OtlpReceiver() as receiver,
        Collector(
            otelcol,
            tmp_path / "failing",
            *METRICS_CONFIG,
            str(small_queue),
            BACKEND_OTLP_ENDPOINT="http://127.0.0.1:9",
            MLFLOW_TRACKING_URI=f"{receiver.endpoint}/unknown",  # responds 404
        ) as failing,
        Collector(
            otelcol,
            tmp_path / "full",
            *METRICS_CONFIG,
            BACKEND_OTLP_ENDPOINT=receiver.endpoint,
            MLFLOW_TRACKING_URI=receiver.endpoint,
            OTELCOL_MEMORY_MIB="129",  # almost all reserved by spike_limit_mib
        ) as full,
        Prometheus(tmp_path / "prometheus", failing, full) as prometheus,
    ):
        send(failing, 550)
        send(failing, 100)
        refused = "otelcol_processor_memory_limiter_refused_spans"
        wait_until(lambda: send(full, 1) or full.metric(refused))

        def active_alerts():
            return {
                name: sorted(
                    alert["labels"].get("exporter", "") for alert in rule["alerts"]
                )
                for name, rule in prometheus.alerting_rules().items()
                if rule["state"] != "inactive"
            }

        expected = {
            "SpansRejected": ["otlp_http/mlflow"],
            "QueueOverflow": ["otlp_http/backend"],
            "DestinationUnreachable": ["otlp_http/backend"],
            "QueueNearlyFull": ["otlp_http/backend"],
            "MemoryLimiterRefusesSpans": [""],
        }
        wait_until(lambda: active_alerts() == expected)
        # The other alerts do not fire here, but their metrics exist.
        names = re.findall(
            r"otelcol_\w+", (PROMETHEUS_FOLDER / "alerts.yaml").read_text()
        )
        assert set(names) - prometheus.metric_names() == set()


def send(collector, span_count):
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("test")
    exporter = OTLPSpanExporter(f"{collector.endpoint}/v1/traces", timeout=1)
    call = {"gen_ai.operation.name": "chat"}
    spans = [tracer.start_span("a", attributes=call) for _ in range(span_count)]
    for span in spans:
        span.end()
    exporter.export(spans)
    exporter.shutdown()
