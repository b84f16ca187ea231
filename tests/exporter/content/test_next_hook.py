"""Another completion hook, which comes after ours."""

from __future__ import annotations

import sys

import pytest
from dirty_equals import IsPartialDict
from opentelemetry.util.genai.types import InputMessage, TextPart

from opentelemetry.exporter.mlflow._content._completion_hook import MlflowCompletionHook

from .conversation import SECRET, sent, talk

NEXT = "OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK"


class Elsewhere:
    """A hook of somebody's."""

    calls: list[dict] = []  # noqa: RUF012  # entry points are loaded afresh

    def on_completion(self, **said):
        self.calls.append(said)


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    info = tmp_path / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[opentelemetry_genai_completion_hook]\nelsewhere = {__name__}:Elsewhere\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    Elsewhere.calls.clear()


def test_another_hook_comes_after_ours(monkeypatch, elsewhere, both, wire):
    monkeypatch.setenv(NEXT, "elsewhere")
    span = talk(both)
    assert f"{SECRET} thought".encode() in sent(wire)
    (call,) = Elsewhere.calls
    assert call == IsPartialDict(
        inputs=[InputMessage("user", [TextPart(SECRET)])], span=span
    )


@pytest.mark.parametrize("name", ["mlflow", "gone"])
def test_a_next_hook_that_is_none_is_refused(monkeypatch, elsewhere, name):
    monkeypatch.setenv(NEXT, name)
    with pytest.raises(
        ValueError,
        match=rf"{NEXT} takes the name of another completion hook "
        rf"\(elsewhere, upload\), not '{name}'",
    ):
        MlflowCompletionHook()
