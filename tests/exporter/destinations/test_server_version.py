"""MLflow servers that are too old: they accept spans, or do not have the path."""

from __future__ import annotations

import pytest

from tests.exporter.conftest import Response

from .destination import export_error, new_destination

WARNING = (
    "WARNING MLflow at <0> has version {}, which is too old: traces may be incomplete. "
    "Upgrade the server to version 3.14 or newer. This is logged once."
)


@pytest.mark.parametrize("version", ["2.22.0", "3.5.1", "3.13.0rc1", "3.9.0"])
def test_server_that_accepts_spans_and_is_too_old_is_logged_once(
    fake_server, spans, log_lines, version
):
    fake_server.version = version
    destination = new_destination(fake_server.uri, experiment_id=1)
    destination.send([spans.make()])
    destination.send([spans.make()])
    destination.close()
    assert log_lines(fake_server)[1:] == [WARNING.format(version)]


@pytest.mark.parametrize(
    "version", ["3.14.0", "3.14.0.dev0", "3.100.1", "4.0", "", "<p>1.2", "x" * 1000]
)
def test_server_that_is_new_or_does_not_tell_its_version_is_not_logged(
    fake_server, spans, log_lines, version
):
    fake_server.version = version
    destination = new_destination(fake_server.uri, experiment_id=1)
    destination.send([spans.make()])
    destination.close()
    assert len(log_lines(fake_server)) == 1  # the destination


@pytest.mark.parametrize(
    "response",
    [
        Response(404, b"<p>", {"Content-Type": "text/html"}),
        Response(405, b"", {}),
        Response(200, b"<p>", {"Content-Type": "text/html"}),
    ],
    ids=["404", "405", "200"],
)
@pytest.mark.parametrize("experiment_name", [None, "agents"])
def test_server_without_the_path_is_reported_with_its_version(
    fake_server, spans, response, experiment_name
):
    fake_server.version = "2.9.1"
    fake_server.respond = lambda _: response
    destination = new_destination(fake_server.uri, experiment_name=experiment_name)
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.cause == f"MLflow 2.9.1 is too old ({response.status})"
    assert error.advice == "Upgrade the server to version 3.14 or newer"
