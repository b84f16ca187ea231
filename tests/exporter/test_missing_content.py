"""A model call without message content is logged once, if nobody has decided that."""

from __future__ import annotations

import json

import pytest

CONTENT = {
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
    )
}
CHAT = {"gen_ai.operation.name": "chat"}


CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.mark.parametrize(
    ("attributes", "is_logged"),
    [
        (CHAT, True),
        (CHAT | CONTENT, False),
        ({"gen_ai.operation.name": "execute_tool"}, False),
        ({}, False),
    ],
)
def test_missing_content_is_logged_once(exporter, spans, caplog, attributes, is_logged):
    with caplog.at_level("INFO", "opentelemetry.exporter.mlflow"):
        for _ in range(2):
            exporter.export([spans.make("a", attributes)])
    messages = [message for message in caplog.messages if "content" in message]
    assert len(messages) == is_logged
    assert all("CAPTURE_MESSAGE_CONTENT" in message for message in messages)


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        ("", ["WARNING"]),
        ("EVENT_ONLY", ["INFO"]),
        ("NO_CONTENT", []),
        ("no_content ", []),
    ],
)
def test_level_depends_on_the_setting(
    exporter, spans, caplog, monkeypatch, value, levels
):
    monkeypatch.setenv(CAPTURE, value)
    with caplog.at_level("INFO", "opentelemetry.exporter.mlflow"):
        exporter.export([spans.make("a", CHAT)])
    assert [r.levelname for r in caplog.records if CAPTURE in r.message] == levels


def test_a_completion_hook_is_a_decision(exporter, spans, caplog, monkeypatch):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "mlflow")
    with caplog.at_level("INFO", "opentelemetry.exporter.mlflow"):
        exporter.export([spans.make("a", CHAT)])
    assert [r.levelname for r in caplog.records if CAPTURE in r.message] == ["INFO"]
