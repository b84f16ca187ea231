"""secure.yaml rejects clients without a token, and no port is public by default."""

# The parameters of the tests have the name of the imported fixture.
# ruff: noqa: F811

from __future__ import annotations

import re
from pathlib import Path

import grpc
import psutil
import pytest
import requests
import yaml
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcSpanExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpSpanExporter,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from examples.otelcol import CONFIG_FOLDER, CollectorError
from examples.otelcol._process import PORTS
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.exporter.tls import certificate  # noqa: F401  # a fixture

from .conftest import AGENT_CONFIG, AGENT_SPAN_COUNT, wait_until

pytestmark = pytest.mark.e2e

TOKEN = "a-valid-token"


@pytest.fixture
def secure_collector(make_collector, receiver, certificate, tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    for name in ("tls.crt", "tls.key"):
        (folder / name).write_bytes(Path(certificate).read_bytes())
    tokens = tmp_path / "tokens"
    tokens.write_text(f"another\n{TOKEN}\n")
    with make_collector(
        *AGENT_CONFIG,
        "secure.yaml",
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
        OTELCOL_TLS=str(folder),
        OTELCOL_TOKENS=str(tokens),
    ) as collector:
        yield collector


@pytest.mark.parametrize("port", ["HTTP", "MLFLOW"])
@pytest.mark.parametrize(
    ("token", "status"), [(TOKEN, 200), ("wrong", 401), ("", 401), (None, 401)]
)
def test_request_without_valid_token_is_rejected(
    secure_collector, certificate, port, token, status
):
    response = requests.post(
        f"https://127.0.0.1:{secure_collector.port(port)}/v1/traces",
        headers={} if token is None else {"authorization": f"Bearer {token}"},
        json={"resourceSpans": []},
        verify=certificate,
        timeout=10,
    )
    assert response.status_code == status


@pytest.mark.parametrize(
    ("token", "result"),
    [(TOKEN, SpanExportResult.SUCCESS), ("wrong", SpanExportResult.FAILURE)],
)
def test_grpc_export_requires_valid_token(secure_collector, certificate, token, result):
    exporter = GrpcSpanExporter(
        f"https://127.0.0.1:{secure_collector.port('GRPC')}",
        credentials=grpc.ssl_channel_credentials(Path(certificate).read_bytes()),
        headers={"authorization": f"Bearer {token}"},
        timeout=5,
    )
    assert exporter.export(spans()) is result
    exporter.shutdown()


def test_mlflow_exporter_sends_token(monkeypatch, secure_collector, certificate):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_CERTIFICATE", certificate)
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_HEADERS", f"authorization=Bearer {TOKEN}")
    exporter = MlflowSpanExporter(
        endpoint=f"https://127.0.0.1:{secure_collector.port('MLFLOW')}"
    )
    assert exporter.export(spans()) is SpanExportResult.SUCCESS
    exporter.shutdown()


def test_otlp_exporter_sends_token_from_its_environment(
    run_agent,
    secure_collector,
    receiver,
    certificate,
):
    run_agent(
        secure_collector,
        OTEL_EXPORTER_OTLP_CERTIFICATE=certificate,
        OTEL_EXPORTER_OTLP_ENDPOINT=secure_collector.endpoint.replace("http", "https"),
        OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{TOKEN}",
        # They take precedence over the certificate in the OTLP/HTTP exporter.
        CURL_CA_BUNDLE="",
        REQUESTS_CA_BUNDLE="",
    )
    wait_until(lambda: len(receiver.spans) == AGENT_SPAN_COUNT)


def test_export_without_tls_fails(secure_collector):
    exporter = HttpSpanExporter(
        f"http://127.0.0.1:{secure_collector.port('HTTP')}/v1/traces", timeout=2
    )
    assert exporter.export(spans()) is SpanExportResult.FAILURE
    exporter.shutdown()


def test_removed_token_is_rejected_without_restart(secure_collector, certificate):
    def response_status():
        return requests.post(
            f"{secure_collector.endpoint.replace('http', 'https')}/v1/traces",
            headers={"authorization": f"Bearer {TOKEN}"},
            json={"resourceSpans": []},
            verify=certificate,
            timeout=10,
        ).status_code

    assert response_status() == 200
    Path(secure_collector.environment["OTELCOL_TOKENS"]).write_text("another\n")
    wait_until(lambda: response_status() == 401)


@pytest.mark.parametrize("missing_variable", ["OTELCOL_TLS", "OTELCOL_TOKENS"])
def test_error_of_collector_without_tls_or_tokens_names_the_variable(
    make_collector,
    certificate,
    tmp_path,
    missing_variable,
):
    for name in ("tls.crt", "tls.key", "tokens"):
        (tmp_path / name).write_bytes(Path(certificate).read_bytes())
    variables = {
        "OTELCOL_TLS": str(tmp_path),
        "OTELCOL_TOKENS": str(tmp_path / "tokens"),
    }
    del variables[missing_variable]
    with pytest.raises(CollectorError, match=f"{missing_variable} is not set"):
        make_collector(*AGENT_CONFIG, "secure.yaml", **variables).start()


def test_default_ports_listen_on_loopback_only(make_collector):
    with make_collector(
        *AGENT_CONFIG, "metrics.yaml", OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]"
    ) as collector:
        listening = {
            (connection.laddr.ip, connection.laddr.port)
            for connection in psutil.Process(collector.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
    assert listening == {("127.0.0.1", collector.port(name)) for name in PORTS}


def test_every_listen_address_uses_the_host_variable():
    """The default of `OTELCOL_HOST` is 127.0.0.1."""
    for file in CONFIG_FOLDER.rglob("*.yaml"):
        text = file.read_text()
        for port in re.findall(r"env:(OTELCOL_\w+_PORT)", text):
            assert re.search(
                rf"(\$\{{env:OTELCOL_HOST:-127\.0\.0\.1\}}:|port: )\$\{{env:{port}:",
                text,
            ), (file, port)
        if "OTELCOL_" in text and file.name != "docker-compose.yaml":
            assert "0.0.0.0:" not in text, file


def test_secrets_come_only_from_the_environment():
    secrets = {
        key: value
        for file in CONFIG_FOLDER.rglob("*.yaml")
        if "kubernetes" not in file.parts  # tests/kubernetes looks at those
        for document in yaml.safe_load_all(file.read_text())
        for key, value in scalars(document)
        if any(word in key.lower() for word in ("authorization", "password", "token"))
    }
    assert secrets
    assert [v for v in secrets.values() if not str(v).startswith("${env:")] == []


def scalars(tree):
    """Yields the key and the value of each scalar in a YAML document."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, dict | list):
            yield from scalars(value)
        else:
            yield str(key), value


def spans():
    provider = TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("test").start_span("a")
    span.end()
    return [span]
