"""A request has what MLflow is told, and nothing that is said to others."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.exporter.conftest import Answer, serving

from .sending import to


def test_a_request_is_for_mlflow_alone(monkeypatch, wire, spans, tmp_path):
    foreign = tmp_path / "foreign.pem"
    for signal in ("", "TRACES_"):
        for name, value in {
            "HEADERS": "authorization=Bearer%20theirs,x-api-key=theirs,cookie=theirs",
            "ENDPOINT": "http://127.0.0.1:9",
            "COMPRESSION": "deflate",
            "TIMEOUT": "0.001",
            "CERTIFICATE": str(foreign),
            "CLIENT_KEY": str(foreign),
            "CLIENT_CERTIFICATE": str(foreign),
        }.items():
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}{name}", value)
    monkeypatch.setenv(
        "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER", "somebody's"
    )
    netrc = tmp_path / "netrc"
    netrc.write_text("default login them password theirs")
    monkeypatch.setenv("NETRC", str(netrc))
    wire.answers = lambda _: Answer(headers={"Set-Cookie": "theirs=1; Path=/"})

    server = to(wire.uri, experiment_id=7)
    server.send([spans.made("one")])
    server.send([spans.made("two")])
    server.close()

    assert [request.span_names for request in wire.requests] == [["one"], ["two"]]
    for request in wire.requests:
        assert (request.method, request.path) == ("POST", "/v1/traces")
        length = request.headers.pop("content-length")
        assert int(length) == len(request.body)
        agent = request.headers.pop("user-agent")
        assert agent.startswith("OTel-OTLP-Exporter-Python/")
        assert request.headers == {
            "accept": "*/*",
            # Said by http.client if nobody says anything.
            "accept-encoding": "identity",
            "content-type": "application/x-protobuf",
            "host": wire.uri.removeprefix("http://"),
            "x-mlflow-experiment-id": "7",
        }


def test_a_prefix_of_the_address_is_one_of_every_path(wire, spans):
    wire.answers = lambda request: (
        Answer()
        if request.path.endswith("traces")
        else Answer(
            body=b'{"experiment": {"experiment_id": "5", "lifecycle_stage": 1}}'
        )
    )
    server = to(wire.uri + "/prefix/", experiment_name="a b")
    server.send([spans.made()])
    server.close()
    assert [request.path for request in wire.requests] == [
        "/prefix/api/2.0/mlflow/experiments/get-by-name?experiment_name=a+b",
        "/prefix/v1/traces",
    ]


def test_another_exporter_gets_nothing_of_mlflows(monkeypatch, wire, spans):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok")
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team")
    with serving() as other:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", other.uri)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=theirs")
        theirs, ours = OTLPSpanExporter(), to(wire.uri)
        for _ in range(2):
            theirs.export([spans.made()])
            ours.send([spans.made()])
        theirs.shutdown()
        ours.close()
        for request in other.requests:
            assert request.headers.pop("x-api-key") == "theirs"
            assert set(request.headers) == {
                "accept",
                "accept-encoding",
                "connection",
                "content-length",
                "content-type",
                "host",
                "user-agent",
            }
        assert len(other.requests) == 2
    assert [sent.headers["authorization"] for sent in wire.requests] == [
        "Bearer tok",
        "Bearer tok",
    ]
