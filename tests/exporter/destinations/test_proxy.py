"""Through a proxy, as `requests` and so MLflow's client find it in the environment."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination
from tests.exporter.conftest import serving


class Proxy:
    """A forward proxy: `CONNECT` for https, absolute addresses for http.

    `passed` is what it was asked for: (method, target, headers). It wants `user`.
    """

    def __init__(self, user=""):
        self.user = user
        self.passed = []
        self.uri = ""


@contextmanager
def proxying(user=""):  # noqa: C901  # a server, whole
    proxy = Proxy(user)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def is_welcome(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            proxy.passed.append((self.command, self.path, headers))
            if proxy.user and headers.get("proxy-authorization") != proxy.user:
                self.send_response(407)
                self.send_header("Proxy-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False
            return True

        def do_CONNECT(self):
            if not self.is_welcome():
                return
            host, _, port = self.path.partition(":")
            with socket.create_connection((host, int(port))) as there:
                self.send_response(200)
                self.end_headers()
                self.shovel(there)
            self.close_connection = True

        def do_POST(self):
            if not self.is_welcome():
                return
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            head = [f"{self.command} {target.path}?{target.query} HTTP/1.1"]
            head += [
                f"{name}: {value}"
                for name, value in self.headers.items()
                if not name.lower().startswith("proxy-")
            ]
            with socket.create_connection((target.hostname, target.port)) as there:
                there.sendall(
                    "\r\n".join([*head, "Connection: close", "", ""]).encode()
                )
                there.sendall(body)
                while answer := there.recv(65536):
                    self.connection.sendall(answer)
            self.close_connection = True

        do_GET = do_POST  # noqa: N815  # the name http.server calls

        def shovel(self, there):
            ends = {self.connection: there, there: self.connection}
            while True:
                for ready in select.select(list(ends), [], [])[0]:
                    if not (data := ready.recv(65536)):
                        return
                    ends[ready].sendall(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None
        proxy.uri = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield proxy
        server.shutdown()


def to(uri):
    return create_destination(
        tracking_uri=uri, experiment_id=7, experiment_name=None, timeout=5
    )


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mlflows")


def test_a_proxy_is_asked_for_http(monkeypatch, wire, spans, token):
    with proxying(user="Basic YW5uOnB3") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.uri.replace("//", "//ann:pw@"))
        server = to(wire.uri)
        server.send([spans.made("one")])
        server.close()
    ((method, target, headers),) = proxy.passed
    assert (method, target) == ("POST", f"{wire.uri}/v1/traces")
    assert headers["proxy-authorization"] == "Basic YW5uOnB3"
    (request,) = wire.requests
    assert request.span_names == ["one"]
    assert request.headers["authorization"] == "Bearer mlflows"


@pytest.mark.parametrize(
    ("host", "encoding"),
    [
        ("mlflow.example", "gzip"),
        ("10.0.0.7", "gzip"),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("localhost", None),
    ],
)
def test_spans_are_compressed_where_they_leave_the_machine(
    monkeypatch, wire, spans, host, encoding
):
    monkeypatch.setenv("HTTP_PROXY", wire.uri)
    server = to(f"http://{host}:5000")
    server.send([spans.made("one")])
    server.close()
    (request,) = wire.requests
    assert request.headers.get("content-encoding") == encoding
    assert request.span_names == ["one"]


def test_a_proxy_of_https_sees_neither_token_nor_spans(
    monkeypatch, spans, token, request
):
    monkeypatch.setenv(
        "MLFLOW_TRACKING_SERVER_CERT_PATH", request.getfixturevalue("certificate")
    )
    with serving(request.getfixturevalue("tls")) as wire, proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.uri)
        server = to(wire.uri)
        server.send([spans.made("one")])
        server.close()
        assert [sent.span_names for sent in wire.requests] == [["one"]]
        assert wire.requests[0].headers["authorization"] == "Bearer mlflows"
    ((method, target, headers),) = proxy.passed
    assert (method, target) == ("CONNECT", wire.uri.removeprefix("https://"))
    assert "authorization" not in headers
    assert "x-mlflow-experiment-id" not in headers


def test_no_proxy_where_none_is_to_be(monkeypatch, wire, spans):
    with proxying() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.uri)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        server = to(wire.uri)
        server.send([spans.made("one")])
        server.close()
    assert proxy.passed == []
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("scheme", "cause"),
    [
        ("http", "a proxy wants credentials (407)"),
        ("https", "no way through the proxy (Tunnel connection failed: 407 "),
    ],
)
def test_a_proxy_that_wants_credentials_is_said(
    monkeypatch, wire, spans, scheme, cause
):
    with proxying(user="Basic YW5uOnB3") as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.uri)
        server = to(wire.uri.replace("http", scheme))
        with pytest.raises(ExportError) as caught:
            server.send([spans.made("one")])
        server.close()
    assert caught.value.cause.startswith(cause)
    assert "HTTPS_PROXY" in caught.value.advice
    assert wire.requests == []


def test_a_proxy_that_is_not_there_is_said(monkeypatch, wire, spans):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:secret@127.0.0.1:{port}")
    server = to(wire.uri)
    with pytest.raises(ExportError) as caught:
        server.send([spans.made("one")])
    server.close()
    assert caught.value.cause == "no way through the proxy (Connection refused)"
    assert "secret" not in caught.value.advice
