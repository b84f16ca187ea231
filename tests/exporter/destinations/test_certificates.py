"""TLS: whom we trust, and how we are known."""

from __future__ import annotations

import ssl
import time

import pytest

from tests.exporter.conftest import serving

from .sending import refused, to


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
        assert not why.is_divisible
