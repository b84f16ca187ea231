"""The command shows what waits in the spool, and drains it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from dirty_equals import IsStr

from opentelemetry.exporter.mlflow._diagnosis._spool_check import _duration
from tests.exporter.conftest import error_response

from .conftest import open_spool, respond


@pytest.fixture
def destination(mlflow):
    return f"{mlflow.uri} experiment 3"


def delivered_names(server):
    return [
        request.span_names for request in server.requests if request.method == "POST"
    ]


def test_an_empty_spool(destination, run_command, tmp_path):
    folder = tmp_path / "spool"
    status, lines = run_command("--no-probe", "--drain", "--spool", str(folder))
    assert status == 0
    assert lines["spool"] == ("ok", f"nothing waits for {destination} in {folder}")
    assert "drain" not in lines
    assert not folder.exists()


def test_there_is_nothing_to_drain_without_a_spool(mlflow, run_command):
    status, lines = run_command("--no-probe", "--drain")
    assert status == 1
    assert lines["spool"] == (
        "failed",
        "there is none. Set OTEL_EXPORTER_MLFLOW_SPOOL or --spool",
    )


def test_what_waits_is_shown_for_each_destination(
    destination, fill_spool, run_command, monkeypatch
):
    fill_spool("http://elsewhere experiment 0", ["a"])
    folder = fill_spool(destination, ["a", "b"], ["c"])
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL", folder)
    status, lines = run_command("--no-probe")
    assert status == 0
    assert lines["spool"] == [
        (
            "ok",
            IsStr(
                regex=rf"spans that wait for {destination}: 3 \(\d+ bytes, the oldest "
                r"for \d seconds\)"
            ),
        ),
        (
            "ok",
            IsStr(
                regex=r"spans that wait for another destination, http://elsewhere "
                r"experiment 0: 1 \(.*\)"
            ),
        ),
    ]


def test_the_spool_is_drained(mlflow, destination, fill_spool, run_command):
    fill_spool("http://elsewhere experiment 0", ["other"])
    folder = fill_spool(destination, ["a", "b"], ["c"])
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 0
    assert lines["drain"] == ("ok", "spans sent: 3, waiting: 0")
    assert delivered_names(mlflow) == [["a", "b"], ["c"]]
    _, lines = run_command("--no-probe", "--spool", folder)
    assert [text.partition(":")[0] for _, text in lines["spool"]] == [
        "spans that wait for another destination, http",
        "nothing waits for http",
    ]


def test_a_drain_stops_if_the_destination_fails(
    mlflow, destination, fill_spool, run_command
):
    def fail(request):
        if request.method == "POST":
            return error_response(403, "PERMISSION_DENIED")
        return respond(request)

    mlflow.respond = fail
    folder = fill_spool(destination, ["a", "b"], ["c"])
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 1
    assert lines["drain"] == (
        "failed",
        IsStr(
            regex=r"spans sent: 0, waiting: 3, rejected: 0\. MLflow denies "
            r"permission \(403 "
            r"PERMISSION_DENIED\)\. Check .*"
        ),
    )
    assert delivered_names(mlflow) == [["a", "b"]]


def test_a_rejected_span_stays_in_the_spool(
    mlflow, destination, fill_spool, run_command
):
    def reject(request):
        if request.method == "POST" and "bad" in request.span_names:
            return error_response(400, "INVALID_PARAMETER_VALUE")
        return respond(request)

    mlflow.respond = reject
    folder = fill_spool(destination, ["a", "bad", "b"], ["c"])
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 1
    assert lines["drain"] == (
        "failed",
        IsStr(regex=r"spans sent: 3, waiting: 1, rejected: 1\. MLflow rejects some .*"),
    )
    mlflow.respond = respond
    assert run_command("--no-probe", "--drain", "--spool", folder)[0] == 0


def test_an_unreadable_request_stays_in_the_spool(
    mlflow, destination, fill_spool, run_command
):
    folder = fill_spool(destination, ["a"])
    with closing(sqlite3.connect(f"{folder}/spool.db")) as connection, connection:
        connection.execute("UPDATE bodies SET body = x'ff'")
    fill_spool(destination, ["b"])
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 1
    assert lines["drain"] == (
        "failed",
        (
            "spans sent: 1, waiting: 1, rejected: 1. a request in the spool cannot be "
            "read. The disk may be damaged"
        ),
    )


def test_requests_that_another_process_sends(destination, fill_spool, run_command):
    folder = fill_spool(destination, ["a"])
    with closing(open_spool(folder, destination)) as spool:
        assert spool.take(is_urgent=True)
        status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 1
    assert lines["drain"] == (
        "failed",
        "spans sent: 0, waiting: 1; other processes are sending them",
    )


def test_old_requests_are_dropped(destination, fill_spool, run_command, monkeypatch):
    folder = fill_spool(destination, ["a"], ["b"])
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE", "0.001")
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 1
    assert lines["drain"] == [
        ("failed", "spans dropped: 2 (not delivered within 0.001 seconds)"),
        ("ok", "spans sent: 0, waiting: 0"),
    ]


def test_a_spool_that_cannot_be_used(destination, fill_spool, run_command):
    folder = fill_spool(destination, ["a"])
    with closing(sqlite3.connect(f"{folder}/spool.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 1
    assert lines["spool"] == (
        "failed",
        (
            f"the spool in {folder} cannot be used (a later release has created it, "
            f"with "
            "the format 99). Check the disk and the permissions of the folder"
        ),
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7200, "2 hours"),
        (7 * 86_400, "7 days"),
    ],
)
def test_durations(seconds, text):
    assert _duration(seconds) == text


def test_a_collector_has_a_name_in_the_spool(
    fake_server, fill_spool, run_command, monkeypatch
):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_ENDPOINT", fake_server.uri)
    folder = fill_spool(fake_server.uri, ["a"])
    status, lines = run_command("--no-probe", "--drain", "--spool", folder)
    assert status == 0
    assert lines["drain"] == ("ok", "spans sent: 1, waiting: 0")
