"""Each command and each program of a guide runs, and MLflow shows what it says."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_install_lines import missing_files
from tests.exporter.databricks.fake_databricks import fake_databricks
from tests.exporter.databricks.workspace_contents import sent_trace_infos

from ._guide import Guide, tree
from .conftest import DOCS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.published_programs.telemetry import Telemetry

pytestmark = pytest.mark.e2e

# Their programs are in `examples/`, and run in tests/examples.
EXAMPLES = {"notebooks.md", "serverless.md"}
PAGES = [
    "from-autolog.md",
    "quickstart.md",
    *sorted(
        f"guides/{path.name}"
        for path in (DOCS / "guides").glob("*.md")
        if path.name not in EXAMPLES
    ),
]
# Their programs leave other traces than one for each call.
OTHER_PAGES = {"guides/databricks.md", "guides/sampling.md"}
PROBE = "opentelemetry.exporter.mlflow probe"


@pytest.mark.parametrize("page", PAGES)
def test_guide_installs_what_its_programs_import(page: str) -> None:
    guide = Guide.read(DOCS / page)
    for program in guide.files.values():
        assert missing_files(program, guide.packages) == set()


@pytest.mark.parametrize("page", [p for p in PAGES if p not in OTHER_PAGES])
def test_guide_leaves_the_traces_that_it_shows(
    page: str,
    environment: dict[str, str],
    run: Callable[..., Guide],
    telemetry: Telemetry,
) -> None:
    if page == "from-autolog.md":
        # MLflow would send autolog's spans there.
        del environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    guide = run(page)
    traces = [trace for trace in telemetry.traces if trace.name != PROBE]
    assert {tree(trace) for trace in traces} == set(guide.traces)
    assert [t for t in traces if not (t.request and t.response)] == []
    # MLflow has each call once, with the tokens that DeepSeek billed.
    totals = [(t.total.input, t.total.output) for t in traces]
    billed = telemetry.billed_tokens
    assert column_sums(totals) == column_sums(billed)
    assert set(telemetry.otlp_spans) <= set(telemetry.mlflow_spans)


def test_guide_to_privacy_sends_content_to_mlflow_only(
    run: Callable[..., Guide], telemetry: Telemetry
) -> None:
    run("guides/privacy.md")
    assert len(telemetry.receiver.spans) == 2
    for span in telemetry.receiver.spans:
        assert "sky" not in str(span)
    questions = [trace.request for trace in telemetry.traces]
    assert questions == [
        f"I am {address}, why is the sky blue?"
        for address in ("ada@example.com", "[email]")
    ]


def test_guide_to_sampling_samples(
    run: Callable[..., Guide], telemetry: Telemetry
) -> None:
    guide = run("guides/sampling.md")
    assert len(telemetry.simulator.exchanges) == 40
    assert {tree(trace) for trace in telemetry.traces} == set(guide.traces)
    # Half of the first 20 calls, and all of the others.
    assert 20 < len(telemetry.otlp_spans) < 40
    assert 0 < len(telemetry.mlflow_spans) < len(telemetry.otlp_spans)


def test_guide_to_databricks_sends_to_the_workspace(
    run: Callable[..., Guide], telemetry: Telemetry
) -> None:
    with fake_databricks() as workspace:
        workspace.add_experiment(f"/Shared/{telemetry.experiment}", "1")
        run(
            "guides/databricks.md",
            "unset MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME",
            "python -c 'import cell, ask'",
            **{
                "https://dbc-example.cloud.databricks.com": workspace.uri,
                "dapi...": "dapi-pat",
            },
        )
        infos = sent_trace_infos(workspace)
    assert Counter(question_and_answer(info) for info in infos) == {
        ("Why is the sky blue?", True): 2
    }


def test_guide_to_notebooks_shows_the_first_cell_of_the_example() -> None:
    notebook = json.loads((DOCS.parent / "examples" / "notebook.ipynb").read_text())
    cell = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    guide = (DOCS / "guides" / "notebooks.md").read_text("utf-8")
    assert f"```python\n{''.join(cell['source'])}\n```\n" in guide


def column_sums(rows: list[tuple[Any, ...]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)]


def question_and_answer(info: dict[str, Any]) -> tuple[str, bool]:
    return info["request_preview"], "scatters" in info["response_preview"]
