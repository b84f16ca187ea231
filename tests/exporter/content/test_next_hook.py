"""A completion hook that is called after the hook `mlflow`."""

from __future__ import annotations

import sys

import pytest
from dirty_equals import IsPartialDict
from opentelemetry.util.genai.types import InputMessage, TextPart

from opentelemetry.exporter.mlflow._content._completion_hook import MlflowCompletionHook

from .two_exporters import SECRET, call_model, sent_bytes

NEXT_HOOK_VARIABLE = "OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK"


class OtherHook:
    """A completion hook of another package."""

    calls: list[dict] = []  # noqa: RUF012  # each load of the entry point makes a new hook

    def on_completion(self, **arguments):
        self.calls.append(arguments)


@pytest.fixture
def other_hook(monkeypatch, tmp_path):
    info = tmp_path / "other-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[opentelemetry_genai_completion_hook]\nother = {__name__}:OtherHook\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    OtherHook.calls.clear()


def test_next_hook_is_called_with_the_same_arguments(
    monkeypatch, other_hook, exporters, fake_server
):
    monkeypatch.setenv(NEXT_HOOK_VARIABLE, "other")
    span = call_model(exporters)
    assert f"{SECRET} thought".encode() in sent_bytes(fake_server)
    (call,) = OtherHook.calls
    assert call == IsPartialDict(
        inputs=[InputMessage("user", [TextPart(SECRET)])], span=span
    )


@pytest.mark.parametrize("name", ["mlflow", "missing"])
def test_unknown_next_hook_raises(monkeypatch, other_hook, name):
    monkeypatch.setenv(NEXT_HOOK_VARIABLE, name)
    with pytest.raises(
        ValueError,
        match=rf"{NEXT_HOOK_VARIABLE} must be the name of another completion hook "
        rf"\(other, upload\); got '{name}'",
    ):
        MlflowCompletionHook()
