from __future__ import annotations

import base64
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from contextlib import ExitStack
from importlib import metadata

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from opentelemetry.exporter.mlflow._destination import (
    UndeliveredError,
    _http,
    destination,
)
from opentelemetry.exporter.mlflow._destination._databricks import Databricks
from opentelemetry.exporter.mlflow._destination._server import Server
from opentelemetry.exporter.mlflow._destination._store import Store

from .conftest import Answer, mlflow_error, serving


def to(tracking_uri=None, experiment_id=None, experiment_name=None, timeout=None):
    return destination(
        tracking_uri=tracking_uri,
        experiment_id=experiment_id,
        experiment_name=experiment_name,
        timeout=timeout,
    )


def refused(send, *args):
    with pytest.raises(UndeliveredError) as caught:
        send(*args)
    return caught.value


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


# --- settings


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("http://localhost:5000", Server),
        ("https://mlflow.example/prefix/", Server),
        ("HTTP://localhost:5000", Server),
        ("sqlite:///mlflow.db", Store),
        ("sqlite://", Store),
        ("postgresql+psycopg2://u:p@host/db", Store),
        ("mysql://host/db", Store),
        ("mssql+pyodbc://host/db", Store),
        ("databricks", Databricks),
        ("Databricks://profile", Databricks),
    ],
)
def test_the_scheme_says_what_mlflow_is(monkeypatch, uri, kind):
    assert type(to(uri)._inner) is kind
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert type(to()._inner) is kind


def test_without_an_address_it_is_mlflows_own_default(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert to().address == "sqlite:///mlflow.db"

    import mlflow.store.tracking

    assert mlflow.store.tracking.DEFAULT_TRACKING_URI == "sqlite:///mlflow.db"


@pytest.mark.parametrize(
    ("uri", "objection"),
    [
        ("databricks-uc", "is databricks, or databricks://profile for"),
        ("databricks://scope:prefix", "is databricks, or databricks://profile for"),
        ("uc:http://localhost", "is databricks, or databricks://profile for"),
        ("file:///tmp/mlruns", "MLflow keeps no spans in files ('file:///tmp/mlruns')"),
        ("./mlruns", "MLflow keeps no spans in files ('./mlruns')"),
        ("localhost:5000", "such as http://localhost:5000"),
        ("htp://u:secret@host", "not 'htp://host'"),
        ("http://", "such as http://localhost:5000"),
        ("http:///path", "such as http://localhost:5000"),
        ("http://host:port", "such as http://localhost:5000"),
        ("http://host:99999", "such as http://localhost:5000"),
        ("http://[::1", "such as http://localhost:5000"),
        ("sqlite:mlflow.db", "such as sqlite:///mlflow.db"),
        ("s3://bucket?key=secret", "not 's3://bucket'"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(monkeypatch, uri, objection):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI") as caught:
        to()
    assert objection in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match=r"^the argument tracking_uri"):
        to(uri)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "inf", "nan", "10s"])
def test_a_timeout_is_a_number_of_seconds(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_TIMEOUT", value)
    with pytest.raises(
        ValueError, match=r"^OTEL_EXPORTER_MLFLOW_TIMEOUT takes .* such as 30, not"
    ):
        to("http://localhost")


@pytest.mark.parametrize("value", ["agents", "-1", "1.0", "²", "1 2"])
def test_an_experiment_id_is_a_number(monkeypatch, value):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", value)
    with pytest.raises(
        ValueError, match=r"^MLFLOW_EXPERIMENT_ID takes .* MLFLOW_EXPERIMENT_NAME"
    ):
        to("http://localhost")


def test_an_experiment_name_is_not_empty():
    with pytest.raises(ValueError, match=r"^the argument experiment_name takes"):
        to("http://localhost", experiment_name=" ")


def test_two_arguments_for_one_experiment_are_refused_as_mlflow_does():
    with pytest.raises(ValueError, match="experiment_id and experiment_name, not both"):
        to("http://localhost", experiment_id="1", experiment_name="agents")


@pytest.mark.parametrize(
    "variable", ["MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH"]
)
def test_a_certificate_file_exists(monkeypatch, variable):
    monkeypatch.setenv(variable, "/no/such.pem")
    with pytest.raises(ValueError, match=f"^{variable} .* no file is /no/such.pem"):
        to("http://localhost")


def test_a_switch_is_true_or_false(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "yes")
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_INSECURE_TLS takes true"):
        to("http://localhost")


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_TOKEN", "MLFLOW_WORKSPACE"])
def test_a_header_is_printable_and_not_shown(monkeypatch, variable):
    monkeypatch.setenv(variable, "secret\nX-Other: 1")
    with pytest.raises(ValueError, match=f"^{variable} takes") as caught:
        to("http://localhost")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("missing", ["mlflow-skinny", "sqlalchemy"])
def test_a_local_store_names_the_package_it_takes(monkeypatch, missing):
    if missing == "mlflow-skinny":

        def version(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)
    else:
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ImportError, match="pip install mlflow"):
        to("sqlite:///mlflow.db")


def test_a_store_that_was_never_opened_is_left_so():
    store = to("sqlite:///mlflow.db")
    store.after_fork()
    store.close()
    assert store._inner._client is None


# --- what is sent


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


@pytest.mark.parametrize(
    ("environment", "user", "authorization"),
    [
        ({}, "", None),
        ({"TOKEN": "tok"}, "", "Bearer tok"),
        ({"USERNAME": "ann", "PASSWORD": "pw", "TOKEN": "tok"}, "", "Basic ann:pw"),
        ({"USERNAME": "ann", "TOKEN": "tok"}, "", "Bearer tok"),
        ({"USERNAME": "ann", "PASSWORD": "pw"}, "bob:p%40w@", "Basic bob:p@w"),
    ],
)
def test_credentials_are_mlflows(
    monkeypatch, wire, spans, environment, user, authorization
):
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team")
    server = to(wire.uri.replace("//", f"//{user}"))
    server.send([spans.made()])
    (request,) = wire.requests
    sent = request.headers.get("authorization")
    if sent and sent.startswith("Basic "):
        sent = "Basic " + base64.b64decode(sent.removeprefix("Basic ")).decode()
    assert sent == authorization
    assert request.headers["x-mlflow-workspace"] == "team"
    assert server.address == wire.uri
    server.close()


def test_the_credentials_file_of_mlflow_is_read(monkeypatch, wire, spans, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".mlflow"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = p%w\n"
    )
    server = to(wire.uri)
    server.send([spans.made()])
    (request,) = wire.requests
    assert request.headers["authorization"] == (
        "Basic " + base64.b64encode(b"ann:p%w").decode()
    )
    server.close()


def test_a_credentials_file_in_disorder_is_not_quoted(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".mlflow"
    folder.mkdir()
    (folder / "credentials").write_text("mlflow_tracking_password = secret\n")
    with pytest.raises(ValueError, match=r"^~/.mlflow/credentials takes") as caught:
        to("http://localhost")
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_user_without_a_home_has_no_credentials_file(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert isinstance(to("http://localhost")._inner, Server)


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


# --- the experiment


class Catalogue:
    """Answers as MLflow's REST API does, recorded from a server of 3.17.2."""

    def __init__(self, experiments=None, *, others_are_faster=False):
        self.experiments = experiments or {}
        self.others_are_faster = others_are_faster

    def __call__(self, request):
        if request.path == "/v1/traces":
            return Answer()
        if request.method == "GET":
            name = request.path.partition("experiment_name=")[2]
            if name not in self.experiments:
                return mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
            number, stage = self.experiments[name]
            experiment = {
                "experiment_id": number,
                "name": name,
                "lifecycle_stage": stage,
            }
            return Answer(body=json.dumps({"experiment": experiment}).encode())
        name = json.loads(request.body)["name"]
        self.experiments[name] = ("9", "active")
        if self.others_are_faster:
            return mlflow_error(400, "RESOURCE_ALREADY_EXISTS")
        return Answer(body=b'{"experiment_id": "9"}')


def sent_to(wire):
    return [
        request.headers["x-mlflow-experiment-id"]
        for request in wire.requests
        if request.path == "/v1/traces"
    ]


@pytest.mark.parametrize(
    ("arguments", "environment", "experiment"),
    [
        ({}, {}, "0"),
        ({}, {"ID": "3"}, "3"),
        ({}, {"NAME": "agents"}, "5"),
        ({}, {"ID": "3", "NAME": "agents"}, "3"),
        ({"experiment_id": 4}, {"ID": "3", "NAME": "agents"}, "4"),
        ({"experiment_name": "agents"}, {"ID": "3"}, "5"),
    ],
)
def test_which_experiment_it_is(
    monkeypatch, wire, spans, arguments, environment, experiment
):
    wire.answers = Catalogue({"agents": ("5", "active")})
    for name, value in environment.items():
        monkeypatch.setenv(f"MLFLOW_EXPERIMENT_{name}", value)
    server = to(wire.uri, **arguments)
    assert wire.requests == []
    server.send([spans.made()])
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == [experiment, experiment]
    assert len(wire.requests) <= 3


@pytest.mark.parametrize("others_are_faster", [False, True])
def test_a_missing_experiment_is_created(wire, spans, others_are_faster):
    wire.answers = Catalogue(others_are_faster=others_are_faster)
    server = to(wire.uri, experiment_name="new")
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["9"]


def test_threads_look_a_name_up_once(wire, spans):
    catalogue = Catalogue()

    def answers(request):
        time.sleep(0.05)
        return catalogue(request)

    wire.answers = answers
    server = to(wire.uri, experiment_name="new")
    batches = [[spans.made()] for _ in range(5)]
    threads = [threading.Thread(target=server.send, args=(b,)) for b in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.close()
    assert sent_to(wire) == ["9"] * 5
    assert len(wire.requests) == 7


def test_a_deleted_experiment_is_to_be_restored(wire, spans):
    wire.answers = Catalogue({"old": ("5", "deleted")})
    server = to(wire.uri, experiment_name="old")
    why = refused(server.send, [spans.made()])
    assert why.cause == "the experiment 'old' is deleted"
    assert "restore" in why.advice
    assert sent_to(wire) == []
    wire.answers = Catalogue({"old": ("5", "active")})
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (mlflow_error(401, ""), "it wants other credentials (401)"),
        (
            mlflow_error(400, "INVALID_PARAMETER_VALUE"),
            "it fails (400 INVALID_PARAMETER_VALUE)",
        ),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), "the address leads"),
        (Answer(404, b"Not here", {}), "it has no such page (404)"),
        (Answer(200, b'{"experiment": 1}', {}), "the address leads elsewhere (200)"),
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_a_name_that_cannot_be_looked_up(wire, spans, answer, cause, create):
    wire.answers = lambda request: (
        mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
        if create and request.method == "GET"
        else answer
    )
    server = to(wire.uri, experiment_name="agents")
    why = refused(server.send, [spans.made()])
    server.close()
    assert why.cause.startswith(cause)
    assert not why.divisible
    assert sent_to(wire) == []


def test_a_name_is_looked_up_again_when_the_server_is_back(wire, spans):
    server = to(f"http://127.0.0.1:{unused_port()}", experiment_name="agents")
    why = refused(server.send, [spans.made()])
    assert why.cause == "no connection (Connection refused)"
    server.close()

    server = to(wire.uri, experiment_name="agents")
    wire.answers = lambda _: Answer(502)
    assert refused(server.send, [spans.made()]).cause == "it fails (502)"
    wire.answers = Catalogue({"agents": ("5", "active")})
    server.send([spans.made()])
    server.close()
    assert sent_to(wire) == ["5"]


# --- what is not taken


@pytest.mark.parametrize(
    ("answer", "cause", "advice", "divisible"),
    [
        (
            Answer(302, headers={"Location": "/login?secret=1"}),
            "the address",
            "",
            False,
        ),
        (Answer(200, b"<p>", {"Content-Type": "text/html"}), "the address", "", False),
        (mlflow_error(400, "INVALID_PARAMETER_VALUE"), "it refuses some", "log", True),
        (Answer(413), "it refuses some of them (413)", "log", True),
        (Answer(422), "it refuses some of them (422)", "log", True),
        (Answer(401), "it wants other", "MLFLOW_TRACKING_TOKEN", False),
        (Answer(403), "it does not permit", "--allowed-hosts", False),
        (
            mlflow_error(404, "RESOURCE_DOES_NOT_EXIST"),
            "there is no experiment 7 (404 RESOURCE_DOES_NOT_EXIST)",
            "MLFLOW_EXPERIMENT_NAME",
            False,
        ),
        (Answer(404), "it has no such page (404)", "MLFLOW_TRACKING_URI", False),
        (Answer(405), "it does not take spans", "MLFLOW_TRACKING_URI", False),
        (Answer(407), "a proxy wants", "HTTP_PROXY", False),
        (Answer(501), "it keeps traces", "--backend-store-uri", False),
        (Answer(500), "it fails (500)", "log", False),
        (mlflow_error(500, "a secret"), "it fails (500)", "log", False),
    ],
)
def test_what_an_answer_means(wire, spans, answer, cause, advice, divisible):
    wire.answers = lambda _: answer
    server = to(wire.uri, experiment_id=7)
    why = refused(server.send, [spans.made()])
    server.close()
    assert why.cause.startswith(cause)
    assert advice in why.advice
    assert why.divisible is divisible
    assert "secret" not in why.cause + why.advice
    # Older versions of the stock exporter ask again after any of these.
    assert len(wire.requests) == 1 or answer.status >= 500


def test_a_redirect_gets_neither_spans_nor_token(monkeypatch, wire, spans):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok")
    with serving() as elsewhere:
        for name in ({"experiment_id": 1}, {"experiment_name": "agents"}):
            wire.answers = lambda request: Answer(
                307, headers={"Location": elsewhere.uri + request.path}
            )
            server = to(wire.uri, **name)
            assert "(307)" in refused(server.send, [spans.made()]).cause
            server.close()
        assert elsewhere.requests == []


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


def test_a_busy_server_is_asked_again(wire, spans):
    answers = iter([Answer(503, headers={"Retry-After": "0"}), Answer()])
    wire.answers = lambda _: next(answers)
    server = to(wire.uri)
    server.send([spans.made()])
    server.close()
    assert len(wire.requests) == 2


def test_a_server_busy_for_longer_than_the_timeout_is_said_to_fail(wire, spans):
    wire.answers = lambda _: Answer(503, headers={"Retry-After": "60"})
    server = to(wire.uri, timeout=5)
    assert refused(server.send, [spans.made()]).cause == "it fails (503)"
    server.close()


def test_a_connection_that_the_server_closed_is_opened_again(wire, spans):
    server = to(wire.uri)
    server.send([spans.made("one")])
    hang_up = iter([True, False])

    def answers(request):
        if next(hang_up):
            raise ConnectionAbortedError
        return Answer()

    wire.answers = answers
    server.send([spans.made("two")])
    server.close()
    assert [request.span_names for request in wire.requests] == [
        ["one"],
        ["two"],
        ["two"],
    ]


def test_nobody_there_is_waited_for_a_little(spans):
    server = to(f"http://127.0.0.1:{unused_port()}")
    began = time.monotonic()
    why = refused(server.send, [spans.made()])
    assert why.cause == "no connection (Connection refused)"
    assert "MLFLOW_TRACKING_URI" in why.advice
    assert 0.5 < time.monotonic() - began < 10
    server.close()


def test_a_server_that_does_not_answer_costs_the_timeout(monkeypatch, wire, spans):
    release = threading.Event()

    def answers(_):
        release.wait(10)
        return Answer()

    wire.answers = answers
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_TIMEOUT", "0.3")
    server = to(wire.uri)
    began = time.monotonic()
    why = refused(server.send, [spans.made()])
    release.set()
    server.close()
    assert why.cause == "no answer within 0.3 s"
    assert "OTEL_EXPORTER_MLFLOW_TIMEOUT" in why.advice
    assert time.monotonic() - began < 3


def test_an_address_where_nobody_answers_is_given_up_soon(monkeypatch, spans):
    monkeypatch.setattr(_http, "_CONNECT_SECONDS", 0.3)
    with ExitStack() as held:
        # A queue that is full: the kernel drops what comes after.
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        server = to(f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        why = refused(server.send, [spans.made()])
        server.close()
    assert why.cause.startswith("no connection (")
    assert time.monotonic() - began < 3


def test_closing_ends_the_wait_for_a_busy_server(wire, spans):
    wire.answers = lambda _: Answer(503, headers={"Retry-After": "20"})
    server = to(wire.uri)
    threading.Timer(0.3, server.close).start()
    began = time.monotonic()
    assert refused(server.send, [spans.made()]).cause == "it fails (503)"
    assert time.monotonic() - began < 5


def test_a_span_that_cannot_be_encoded_is_one_of_some(wire, spans):
    server = to(wire.uri)
    why = refused(server.send, [spans.made("\ud800")])
    server.close()
    assert why.cause == "some spans cannot be encoded"
    assert why.divisible
    assert wire.requests == []


def test_the_stock_exporter_is_quiet_about_our_spans_alone(caplog, wire, spans):
    wire.answers = lambda _: Answer(500)
    server = to(wire.uri)
    refused(server.send, [spans.made()])
    server.close()
    assert caplog.records == []
    theirs = OTLPSpanExporter(f"{wire.uri}/v1/traces")
    theirs.export([spans.made()])
    theirs.shutdown()
    assert caplog.records[-1].levelno == logging.ERROR


# --- TLS


def test_an_unknown_authority_is_not_trusted(monkeypatch, spans, tls, certificate):
    # Another backend's authority is not MLflow's.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate)
    with serving(tls) as wire:
        server = to(wire.uri)
        began = time.monotonic()
        why = refused(server.send, [spans.made()])
        server.close()
        assert why.cause.startswith("no safe connection (")
        assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in why.advice
        assert time.monotonic() - began < 2
        assert wire.requests == []


def test_the_authority_is_configured_as_in_mlflow(monkeypatch, spans, tls, certificate):
    # Would be taken instead if `requests` had its way.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
    with serving(tls) as wire:
        server = to(wire.uri)
        server.send([spans.made()])
        server.close()
        assert len(wire.requests) == 1


def test_a_system_wide_authority_counts_too(monkeypatch, spans, tls, certificate):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    with serving(tls) as wire:
        server = to(wire.uri)
        server.send([spans.made()])
        server.close()
        assert len(wire.requests) == 1


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_the_check_can_be_switched_off(monkeypatch, spans, tls):
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "True")
    with serving(tls) as wire:
        server = to(wire.uri)
        server.send([spans.made()])
        server.close()
        assert len(wire.requests) == 1


def test_a_client_certificate_is_shown(monkeypatch, spans, tls, certificate):
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(certificate)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
    with serving(tls) as wire:
        server = to(wire.uri)
        assert "connection" in refused(server.send, [spans.made()]).cause
        server.close()
        monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", certificate)
        server = to(wire.uri)
        server.send([spans.made()])
        server.close()
        assert len(wire.requests) == 1


def test_a_certificate_file_that_went_away_is_said(
    monkeypatch, spans, tls, tmp_path, certificate
):
    path = tmp_path / "ca.pem"
    path.touch()
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(path))
    with serving(tls) as wire:
        server = to(wire.uri)
        path.unlink()
        why = refused(server.send, [spans.made()])
        server.close()
        assert why.cause.startswith("no connection (")
        assert not why.divisible


# --- the end of a program

SHORT_PROGRAM = """
import sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(MlflowSpanExporter()))
with provider.get_tracer("t").start_as_current_span("short"):
    pass
"""


def hang_up(_):
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        # The second time is for a connection that was only old.
        (hang_up, 2),
        (lambda _: Answer(503, headers={"Retry-After": "1"}), 4),
    ],
)
def test_a_program_ends_though_its_server_does_not_answer(wire, answers, tries):
    wire.answers = answers
    ended = subprocess.run(
        [sys.executable, "-c", SHORT_PROGRAM],
        env=os.environ | {"MLFLOW_TRACKING_URI": wire.uri},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert 2 <= len(wire.requests) <= tries
    assert f"Spans lost on the way to MLflow at {wire.uri}: 1 (" in ended.stderr


def test_a_store_not_yet_opened_goes_through_a_fork_unopened():
    store = to("sqlite:///mlflow.db")
    store.after_fork()
    assert store._inner._client is None
