"""alerts.yaml rings for what happens, and for nothing else."""

from __future__ import annotations

import re
import subprocess

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

from examples.otelcol import Collector
from examples.otlp_receiver import OtlpReceiver

from .conftest import eventually
from .prometheus import CONFIGURED, SHIPPED, Prometheus, required

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "prometheus.yaml"),
        ("test", "rules", "alerts_test.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(command):
    required()
    ended = subprocess.run(
        ["promtool", *command], cwd=SHIPPED, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_has_a_unit_test():
    said = (SHIPPED / "alerts_test.yaml").read_text()
    names = re.findall(r"alert: (\w+)", (SHIPPED / "alerts.yaml").read_text())
    assert [name for name in names if f"alertname: {name}\n" not in said] == []


def test_alerts_see_what_is_lost_refused_and_kept_back(otelcol, tmp_path):
    small = tmp_path / "small.yaml"
    small.write_text(
        "exporters: {otlp_http/backend: {sending_queue: {queue_size: 600}}}"
    )
    with (
        OtlpReceiver() as nobody,
        Collector(
            otelcol,
            tmp_path / "failing",
            *CONFIGURED,
            str(small),
            BACKEND_OTLP_ENDPOINT="http://127.0.0.1:9",
            MLFLOW_TRACKING_URI=f"{nobody.endpoint}/nowhere",  # a 404
        ) as failing,
        Collector(
            otelcol,
            tmp_path / "full",
            *CONFIGURED,
            BACKEND_OTLP_ENDPOINT=nobody.endpoint,
            MLFLOW_TRACKING_URI=nobody.endpoint,
            OTELCOL_MEMORY_MIB="129",  # all of it is kept for bursts
        ) as full,
        Prometheus(tmp_path / "prometheus", failing, full) as prometheus,
    ):
        send(failing, 550)
        send(failing, 100)
        refused = "otelcol_processor_memory_limiter_refused_spans"
        eventually(lambda: send(full, 1) or full.metric(refused))

        def ring():
            alerts = prometheus.alerts()
            return {
                name: sorted(a["labels"].get("exporter", "") for a in rule["alerts"])
                for name, rule in alerts.items()
                if rule["state"] != "inactive"
            }

        rang = {
            "SpansRefused": ["otlp_http/mlflow"],
            "QueueOverflows": ["otlp_http/backend"],
            "DestinationUnreachable": ["otlp_http/backend"],
            "QueueNearlyFull": ["otlp_http/backend"],
            "MemoryLimiterRefuses": [""],
        }
        eventually(lambda: ring() == rang)
        # What no alert was made for here is at least spelled as the collector does.
        names = re.findall(r"otelcol_\w+", (SHIPPED / "alerts.yaml").read_text())
        assert set(names) - prometheus.names() == set()


def send(collector, spans):
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("test")
    exporter = OTLPSpanExporter(f"{collector.endpoint}/v1/traces", timeout=1)
    call = {"gen_ai.operation.name": "chat"}
    made = [tracer.start_span("a", attributes=call) for _ in range(spans)]
    for span in made:
        span.end()
    exporter.export(made)
    exporter.shutdown()
