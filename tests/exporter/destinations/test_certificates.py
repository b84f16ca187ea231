"""TLS: the trusted authorities, and the client certificate."""

from __future__ import annotations

import ssl
import time

import pytest

from tests.exporter.conftest import serving

from .destination import export_error, new_destination


def test_certificate_of_unknown_authority_is_rejected(
    monkeypatch, spans, tls, certificate
):
    # The authority of another backend must not be trusted for MLflow.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate)
    with serving(tls) as wire:
        destination = new_destination(wire.uri)
        start = time.monotonic()
        error = export_error(destination, [spans.made()])
        destination.close()
        assert error.cause.startswith("the TLS connection failed (")
        assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in error.advice
        assert time.monotonic() - start < 2
        assert wire.requests == []


def test_server_cert_path_sets_trusted_authority(monkeypatch, spans, tls, certificate):
    # `requests` would use this file instead.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
    with serving(tls) as wire:
        destination = new_destination(wire.uri)
        destination.send([spans.made()])
        destination.close()
        assert len(wire.requests) == 1


def test_requests_ca_bundle_is_trusted(monkeypatch, spans, tls, certificate):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    with serving(tls) as wire:
        destination = new_destination(wire.uri)
        destination.send([spans.made()])
        destination.close()
        assert len(wire.requests) == 1


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_insecure_tls_disables_verification(monkeypatch, spans, tls):
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "True")
    with serving(tls) as wire:
        destination = new_destination(wire.uri)
        destination.send([spans.made()])
        destination.close()
        assert len(wire.requests) == 1


def test_client_certificate_is_sent(monkeypatch, spans, tls, certificate):
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(certificate)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
    with serving(tls) as wire:
        destination = new_destination(wire.uri)
        assert "connection" in export_error(destination, [spans.made()]).cause
        destination.close()
        monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", certificate)
        destination = new_destination(wire.uri)
        destination.send([spans.made()])
        destination.close()
        assert len(wire.requests) == 1


def test_deleted_certificate_file_is_reported(
    monkeypatch, spans, tls, tmp_path, certificate
):
    path = tmp_path / "ca.pem"
    path.touch()
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(path))
    with serving(tls) as wire:
        destination = new_destination(wire.uri)
        path.unlink()
        error = export_error(destination, [spans.made()])
        destination.close()
        assert error.cause.startswith("the connection failed (")
        assert not error.is_divisible
