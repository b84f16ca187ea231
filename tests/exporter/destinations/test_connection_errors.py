"""The advice for a connection that fails: scheme, certificate, protocol, port."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from opentelemetry.exporter.mlflow._destinations import create_destination
from tests.exporter.conftest import Response, run_fake_server
from tests.exporter.tls import write_certificate

from .destination import export_error, new_destination, unused_port

URI = "MLFLOW_TRACKING_URI"
ENDPOINT = "OTEL_EXPORTER_MLFLOW_ENDPOINT"


@pytest.fixture(params=[URI, ENDPOINT])
def error_of(request, spans):
    """A function that returns the error of an export to an address.

    Its attribute `setting` is the name of the setting that has the address.
    """

    def export(address, **arguments):
        if request.param == ENDPOINT:
            destination = create_destination(
                endpoint=address,
                tracking_uri=None,
                experiment_id=None,
                experiment_name=None,
                timeout=None,
            )
        else:
            destination = new_destination(address, **arguments)
        error = export_error(destination, [spans.make()])
        destination.close()
        assert not error.is_divisible
        return error

    export.setting = request.param
    return export


def test_https_address_of_a_server_without_tls(error_of, fake_server):
    error = error_of(fake_server.uri.replace("http:", "https:"))
    assert error.cause.startswith("the server does not use TLS (")
    assert error.advice.startswith(
        f"Set {error_of.setting} to the same address with http:// instead of https://"
    )


def test_http_address_of_a_server_with_tls(error_of, tls):
    with run_fake_server(tls) as fake_server:
        error = error_of(fake_server.uri.replace("https:", "http:"))
    assert error.cause.startswith("the connection failed (")
    assert f"set {error_of.setting} to its address with https://" in error.advice


@pytest.mark.parametrize(
    "text",
    [
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"<center>The plain HTTP request was sent to HTTPS port</center>",
        b"You're speaking plain HTTP to an SSL-enabled server port.",
    ],
    ids=["Go", "nginx", "Apache"],
)
def test_response_that_requires_tls(error_of, fake_server, text):
    fake_server.respond = lambda _: Response(400, text)
    error = error_of(fake_server.uri)
    assert error.cause == "the server requires TLS (400)"
    assert f"Set {error_of.setting}" in error.advice
    assert "https:// instead of http://" in error.advice


def test_lookup_of_an_experiment_at_a_server_that_requires_tls(fake_server, spans):
    text = b"Client sent an HTTP request to an HTTPS server.\n"
    fake_server.respond = lambda _: Response(400, text)
    destination = new_destination(fake_server.uri, experiment_name="agents")
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.cause == "the server requires TLS (400)"


@pytest.mark.parametrize(
    ("certificate_arguments", "cause", "advice"),
    [
        ({}, "self-signed certificate", "Set {certificate} to the certificate of"),
        (
            {"valid_from": -2, "valid_until": -1},
            "certificate has expired",
            "Renew the certificate of the server",
        ),
        (
            {"valid_from": 1, "valid_until": 2},
            "certificate is not yet valid",
            "Check the clocks",
        ),
        (
            {"address": "127.0.0.2"},
            "IP address mismatch",
            "Set {uri} to a host that the server's certificate names",
        ),
    ],
)
def test_certificate_that_is_not_accepted(
    error_of, monkeypatch, tmp_path, certificate_arguments, cause, advice
):
    path = write_certificate(tmp_path / "server.pem", **certificate_arguments)
    certificate = (
        "MLFLOW_TRACKING_SERVER_CERT_PATH"
        if error_of.setting == URI
        else "OTEL_EXPORTER_MLFLOW_CERTIFICATE"
    )
    if certificate_arguments:
        monkeypatch.setenv(certificate, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with run_fake_server(context) as fake_server:
        error = error_of(fake_server.uri)
    assert error.cause.startswith(f"the TLS connection failed ({cause}")
    assert error.advice.startswith(
        advice.format(certificate=certificate, uri=error_of.setting)
    )


def test_server_that_has_no_common_tls_version(error_of, tls, monkeypatch, certificate):
    tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with run_fake_server(tls) as fake_server:
        error = error_of(fake_server.uri)
    assert error.cause.startswith("the TLS connection failed (")
    assert error.advice.startswith("See the server's log for the reason")
    assert ("MLFLOW_TRACKING_CLIENT_CERT_PATH" in error.advice) is (
        error_of.setting == URI
    )


def test_port_of_grpc(error_of):
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    error = error_of(f"http://127.0.0.1:{port}")
    server.stop(None)
    assert error.cause == "the response is not HTTP/1.1"
    assert error.advice.startswith(
        f"Set {error_of.setting} to a port for OTLP over HTTP"
    )


def test_port_that_no_server_listens_on(error_of):
    error = error_of(f"http://127.0.0.1:{unused_port()}")
    assert error.cause == "the connection failed (Connection refused)"
    assert error_of.setting in error.advice
    assert ("OTELCOL_MLFLOW_RECEIVERS=[otlp/mlflow]" in error.advice) is (
        error_of.setting == ENDPOINT
    )
