"""TLS: the trusted authorities, and the client certificate."""

from __future__ import annotations

import ssl
import time

import pytest

from tests.exporter.conftest import run_fake_server

from .destination import export_error, new_destination


def test_certificate_of_unknown_authority_is_rejected(
    monkeypatch, spans, tls, certificate
):
    # The authority of another backend must not be trusted for MLflow.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate)
    with run_fake_server(tls) as fake_server:
        destination = new_destination(fake_server.uri)
        start = time.monotonic()
        error = export_error(destination, [spans.make()])
        destination.close()
        assert error.cause.startswith("the TLS connection failed (")
        assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in error.advice
        assert time.monotonic() - start < 2
        assert fake_server.requests == []


def test_server_cert_path_sets_trusted_authority(monkeypatch, spans, tls, certificate):
    # `requests` would use this file instead.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
    with run_fake_server(tls) as fake_server:
        destination = new_destination(fake_server.uri)
        destination.send([spans.make()])
        destination.close()
        assert len(fake_server.requests) == 1


def test_requests_ca_bundle_is_trusted(monkeypatch, spans, tls, certificate):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    with run_fake_server(tls) as fake_server:
        destination = new_destination(fake_server.uri)
        destination.send([spans.make()])
        destination.close()
        assert len(fake_server.requests) == 1


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_insecure_tls_disables_verification(monkeypatch, spans, tls):
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "True")
    with run_fake_server(tls) as fake_server:
        destination = new_destination(fake_server.uri)
        destination.send([spans.make()])
        destination.close()
        assert len(fake_server.requests) == 1


def test_client_certificate_is_sent(monkeypatch, spans, tls, certificate):
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(certificate)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
    with run_fake_server(tls) as fake_server:
        destination = new_destination(fake_server.uri)
        assert "connection" in export_error(destination, [spans.make()]).cause
        destination.close()
        monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", certificate)
        destination = new_destination(fake_server.uri)
        destination.send([spans.make()])
        destination.close()
        assert len(fake_server.requests) == 1


def test_deleted_certificate_file_is_reported(
    monkeypatch, spans, tls, tmp_path, certificate
):
    path = tmp_path / "ca.pem"
    path.touch()
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(path))
    with run_fake_server(tls) as fake_server:
        destination = new_destination(fake_server.uri)
        path.unlink()
        error = export_error(destination, [spans.make()])
        destination.close()
        assert error.cause.startswith("the connection failed (")
        assert not error.is_divisible
