"""Export through a proxy, which is set as for `requests` and MLflow's client."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination
from tests.exporter.conftest import run_fake_server


class Proxy:
    """A forward proxy: `CONNECT` for https, absolute URLs for http.

    `requests` has the received requests as (method, target, headers).
    `authorization` is the value of Proxy-Authorization that it requires, or "".
    """

    def __init__(self, authorization=""):
        self.authorization = authorization
        self.requests = []
        self.uri = ""


@contextmanager
def running_proxy(authorization=""):  # noqa: C901  # the handlers of one server
    proxy = Proxy(authorization)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def is_authorized(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            proxy.requests.append((self.command, self.path, headers))
            if (
                proxy.authorization
                and headers.get("proxy-authorization") != proxy.authorization
            ):
                self.send_response(407)
                self.send_header("Proxy-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False
            return True

        def do_CONNECT(self):
            if not self.is_authorized():
                return
            host, _, port = self.path.partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                self.send_response(200)
                self.end_headers()
                self.relay(upstream)
            self.close_connection = True

        def do_POST(self):
            if not self.is_authorized():
                return
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            head = [f"{self.command} {target.path}?{target.query} HTTP/1.1"]
            head += [
                f"{name}: {value}"
                for name, value in self.headers.items()
                if not name.lower().startswith("proxy-")
            ]
            with socket.create_connection((target.hostname, target.port)) as upstream:
                upstream.sendall(
                    "\r\n".join([*head, "Connection: close", "", ""]).encode()
                )
                upstream.sendall(body)
                while data := upstream.recv(65536):
                    self.connection.sendall(data)
            self.close_connection = True

        do_GET = do_POST  # noqa: N815  # the name http.server calls

        def relay(self, upstream):
            peers = {self.connection: upstream, upstream: self.connection}
            while True:
                for ready in select.select(list(peers), [], [])[0]:
                    if not (data := ready.recv(65536)):
                        return
                    peers[ready].sendall(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None
        proxy.uri = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield proxy
        server.shutdown()


def new_destination(uri):
    return create_destination(
        tracking_uri=uri, experiment_id=7, experiment_name=None, timeout=5
    )


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mlflow-token")


def test_http_requests_go_through_proxy(monkeypatch, fake_server, spans, token):
    with running_proxy(authorization="Basic YW5uOnB3") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.uri.replace("//", "//ann:pw@"))
        destination = new_destination(fake_server.uri)
        destination.send([spans.make("one")])
        destination.close()
    # The first request reads the version.
    _, (method, target, headers) = proxy.requests
    assert (method, target) == ("POST", f"{fake_server.uri}/v1/traces")
    assert headers["proxy-authorization"] == "Basic YW5uOnB3"
    (request,) = fake_server.requests
    assert request.span_names == ["one"]
    assert request.headers["authorization"] == "Bearer mlflow-token"


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
def test_spans_are_compressed_unless_host_is_loopback(
    monkeypatch, fake_server, spans, host, encoding
):
    monkeypatch.setenv("HTTP_PROXY", fake_server.uri)
    destination = new_destination(f"http://{host}:5000")
    destination.send([spans.make("one")])
    destination.close()
    (request,) = fake_server.requests
    assert request.headers.get("content-encoding") == encoding
    assert request.span_names == ["one"]


def test_https_proxy_sees_neither_token_nor_spans(monkeypatch, spans, token, request):
    monkeypatch.setenv(
        "MLFLOW_TRACKING_SERVER_CERT_PATH", request.getfixturevalue("certificate")
    )
    with (
        run_fake_server(request.getfixturevalue("tls")) as fake_server,
        running_proxy() as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.uri)
        destination = new_destination(fake_server.uri)
        destination.send([spans.make("one")])
        destination.close()
        assert [request.span_names for request in fake_server.requests] == [["one"]]
        assert fake_server.requests[0].headers["authorization"] == "Bearer mlflow-token"
    # The first connection reads the version.
    _, (method, target, headers) = proxy.requests
    assert (method, target) == ("CONNECT", fake_server.uri.removeprefix("https://"))
    assert "authorization" not in headers
    assert "x-mlflow-experiment-id" not in headers


def test_no_proxy_variable_bypasses_proxy(monkeypatch, fake_server, spans):
    with running_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.uri)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        destination = new_destination(fake_server.uri)
        destination.send([spans.make("one")])
        destination.close()
    assert proxy.requests == []
    assert len(fake_server.requests) == 1


@pytest.mark.parametrize(
    ("scheme", "cause"),
    [
        ("http", "the proxy requires credentials (407)"),
        ("https", "the connection to the proxy failed (Tunnel connection failed: 407 "),
    ],
)
def test_missing_proxy_credentials_are_reported(
    monkeypatch, fake_server, spans, scheme, cause
):
    with running_proxy(authorization="Basic YW5uOnB3") as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.uri)
        destination = new_destination(fake_server.uri.replace("http", scheme))
        with pytest.raises(ExportError) as raised:
            destination.send([spans.make("one")])
        destination.close()
    assert raised.value.cause.startswith(cause)
    assert "HTTPS_PROXY" in raised.value.advice
    assert fake_server.requests == []


def test_unreachable_proxy_is_reported(monkeypatch, fake_server, spans):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:secret@127.0.0.1:{port}")
    destination = new_destination(fake_server.uri)
    with pytest.raises(ExportError) as raised:
        destination.send([spans.make("one")])
    destination.close()
    assert (
        raised.value.cause == "the connection to the proxy failed (Connection refused)"
    )
    assert "secret" not in raised.value.advice
