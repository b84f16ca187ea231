"""secure.yaml: who has no token, or no trust, gets nothing in. And who may listen."""

from __future__ import annotations

import re
from pathlib import Path

import grpc
import psutil
import pytest
import requests
import yaml
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as Grpc,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as Http,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from examples.otelcol import CONFIGURATIONS, CollectorError
from examples.otelcol._process import PORTS
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.exporter.tls import certificate  # noqa: F401  # a fixture

from .conftest import AGENT, eventually

pytestmark = pytest.mark.e2e

TOKEN = "a-token-of-the-agents"


@pytest.fixture
def secured(collector, receiver, certificate, tmp_path):  # noqa: F811  # the fixture
    folder = tmp_path / "tls"
    folder.mkdir()
    for name in ("tls.crt", "tls.key"):
        (folder / name).write_bytes(Path(certificate).read_bytes())
    tokens = tmp_path / "tokens"
    tokens.write_text(f"another\n{TOKEN}\n")
    with collector(
        *AGENT,
        "secure.yaml",
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]",
        OTELCOL_TLS=str(folder),
        OTELCOL_TOKENS=str(tokens),
    ) as running:
        yield running


@pytest.mark.parametrize("port", ["HTTP", "MLFLOW"])
@pytest.mark.parametrize(
    ("token", "status"), [(TOKEN, 200), ("stranger", 401), ("", 401), (None, 401)]
)
def test_who_has_no_token_is_refused(secured, certificate, port, token, status):  # noqa: F811
    answer = requests.post(
        f"https://127.0.0.1:{secured.port(port)}/v1/traces",
        headers={} if token is None else {"authorization": f"Bearer {token}"},
        json={"resourceSpans": []},
        verify=certificate,
        timeout=10,
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("token", "result"),
    [(TOKEN, SpanExportResult.SUCCESS), ("stranger", SpanExportResult.FAILURE)],
)
def test_over_grpc_as_well(secured, certificate, token, result):  # noqa: F811
    exporter = Grpc(
        f"https://127.0.0.1:{secured.port('GRPC')}",
        credentials=grpc.ssl_channel_credentials(Path(certificate).read_bytes()),
        headers={"authorization": f"Bearer {token}"},
        timeout=5,
    )
    assert exporter.export(spans()) is result
    exporter.shutdown()


def test_our_exporter_says_who_it_is(monkeypatch, secured, certificate):  # noqa: F811
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_CERTIFICATE", certificate)
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_HEADERS", f"authorization=Bearer {TOKEN}")
    exporter = MlflowSpanExporter(
        endpoint=f"https://127.0.0.1:{secured.port('MLFLOW')}"
    )
    assert exporter.export(spans()) is SpanExportResult.SUCCESS
    exporter.shutdown()


def test_an_agent_that_says_it_by_its_environment_gets_in(
    agent,
    secured,
    receiver,
    certificate,  # noqa: F811  # the fixture
):
    agent(
        secured,
        OTEL_EXPORTER_OTLP_CERTIFICATE=certificate,
        OTEL_EXPORTER_OTLP_ENDPOINT=secured.endpoint.replace("http", "https"),
        OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{TOKEN}",
        # They would go before the certificate, in OpenTelemetry's exporter over HTTP.
        CURL_CA_BUNDLE="",
        REQUESTS_CA_BUNDLE="",
    )
    eventually(lambda: len(receiver.spans) == 5)


def test_without_encryption_nobody_is_understood(secured):
    exporter = Http(f"http://127.0.0.1:{secured.port('HTTP')}/v1/traces", timeout=2)
    assert exporter.export(spans()) is SpanExportResult.FAILURE
    exporter.shutdown()


def test_a_token_can_be_taken_back_while_it_runs(secured, certificate):  # noqa: F811
    def status():
        return requests.post(
            f"{secured.endpoint.replace('http', 'https')}/v1/traces",
            headers={"authorization": f"Bearer {TOKEN}"},
            json={"resourceSpans": []},
            verify=certificate,
            timeout=10,
        ).status_code

    assert status() == 200
    Path(secured.environment["OTELCOL_TOKENS"]).write_text("another\n")
    eventually(lambda: status() == 401)


@pytest.mark.parametrize("missing", ["OTELCOL_TLS", "OTELCOL_TOKENS"])
def test_with_one_of_its_variables_missing_it_does_not_start(
    collector,
    certificate,  # noqa: F811  # the fixture
    tmp_path,
    missing,
):
    for name in ("tls.crt", "tls.key", "tokens"):
        (tmp_path / name).write_bytes(Path(certificate).read_bytes())
    variables = {
        "OTELCOL_TLS": str(tmp_path),
        "OTELCOL_TOKENS": str(tmp_path / "tokens"),
    }
    del variables[missing]
    with pytest.raises(CollectorError):
        collector(*AGENT, "secure.yaml", **variables).start()


def test_it_listens_on_this_machine_alone(collector):
    with collector(
        *AGENT, "metrics.yaml", OTELCOL_MLFLOW_RECEIVERS="[otlp/mlflow]"
    ) as running:
        listening = {
            (one.laddr.ip, one.laddr.port)
            for one in psutil.Process(running.pid).net_connections()
            if one.status == psutil.CONN_LISTEN
        }
    assert listening == {("127.0.0.1", running.port(name)) for name in PORTS}


def test_every_address_that_is_listened_on_has_the_same_variable():
    """`OTELCOL_HOST`, which is this machine alone until it is set."""
    for file in CONFIGURATIONS.rglob("*.yaml"):
        said = file.read_text()
        for port in re.findall(r"env:(OTELCOL_\w+_PORT)", said):
            assert re.search(
                rf"(\$\{{env:OTELCOL_HOST:-127\.0\.0\.1\}}:|port: )\$\{{env:{port}:",
                said,
            ), (file, port)
        if "OTELCOL_" in said and file.name != "docker-compose.yaml":
            assert "0.0.0.0:" not in said, file


def test_secrets_come_from_the_environment_alone():
    said = {
        key: value
        for file in CONFIGURATIONS.rglob("*.yaml")
        for document in yaml.safe_load_all(file.read_text())
        for key, value in leaves(document)
        if any(word in key.lower() for word in ("authorization", "password", "token"))
    }
    assert said
    assert [v for v in said.values() if not str(v).startswith("${env:")] == []


def leaves(tree):
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, dict | list):
            yield from leaves(value)
        else:
            yield str(key), value


def spans():
    provider = TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("test").start_span("a")
    span.end()
    return [span]
