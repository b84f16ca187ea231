"""Requests contain the settings of MLflow, and none of other backends."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.exporter.conftest import Response, run_fake_server

from .destination import new_destination


def test_request_ignores_settings_of_other_backends(
    monkeypatch, fake_server, spans, tmp_path
):
    other_pem = tmp_path / "other.pem"
    for signal in ("", "TRACES_"):
        for name, value in {
            "HEADERS": "authorization=Bearer%20other,x-api-key=other,cookie=other",
            "ENDPOINT": "http://127.0.0.1:9",
            "COMPRESSION": "deflate",
            "TIMEOUT": "0.001",
            "CERTIFICATE": str(other_pem),
            "CLIENT_KEY": str(other_pem),
            "CLIENT_CERTIFICATE": str(other_pem),
        }.items():
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}{name}", value)
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER", "other")
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password other")
    monkeypatch.setenv("NETRC", str(netrc))
    fake_server.respond = lambda _: Response(
        headers={"Set-Cookie": "session=1; Path=/"}
    )

    destination = new_destination(fake_server.uri, experiment_id=7)
    destination.send([spans.make("one")])
    destination.send([spans.make("two")])
    destination.close()

    assert [request.span_names for request in fake_server.requests] == [
        ["one"],
        ["two"],
    ]
    for request in fake_server.requests:
        assert (request.method, request.path) == ("POST", "/v1/traces")
        length = request.headers.pop("content-length")
        assert int(length) == len(request.body)
        agent = request.headers.pop("user-agent")
        assert agent.startswith("OTel-OTLP-Exporter-Python/")
        assert request.headers == {
            "accept": "*/*",
            # http.client adds this header if it is not set.
            "accept-encoding": "identity",
            "content-type": "application/x-protobuf",
            "host": fake_server.uri.removeprefix("http://"),
            "x-mlflow-experiment-id": "7",
        }


def test_path_prefix_applies_to_all_requests(fake_server, spans):
    fake_server.respond = lambda request: (
        Response()
        if request.path.endswith("traces")
        else Response(
            body=b'{"experiment": {"experiment_id": "5", "lifecycle_stage": 1}}'
        )
    )
    destination = new_destination(fake_server.uri + "/prefix/", experiment_name="a b")
    destination.send([spans.make()])
    destination.close()
    assert [request.path for request in fake_server.requests] == [
        "/prefix/api/2.0/mlflow/experiments/get-by-name?experiment_name=a+b",
        "/prefix/v1/traces",
    ]


def test_other_otlp_exporter_gets_no_mlflow_settings(monkeypatch, fake_server, spans):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok")
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team")
    with run_fake_server() as other_backend:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", other_backend.uri)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=other")
        other_exporter, destination = (
            OTLPSpanExporter(),
            new_destination(fake_server.uri),
        )
        for _ in range(2):
            other_exporter.export([spans.make()])
            destination.send([spans.make()])
        other_exporter.shutdown()
        destination.close()
        for request in other_backend.requests:
            assert request.headers.pop("x-api-key") == "other"
            assert set(request.headers) == {
                "accept",
                "accept-encoding",
                "connection",
                "content-length",
                "content-type",
                "host",
                "user-agent",
            }
        assert len(other_backend.requests) == 2
    assert [request.headers["authorization"] for request in fake_server.requests] == [
        "Bearer tok",
        "Bearer tok",
    ]
