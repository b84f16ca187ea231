"""The notebook in `examples/`, whose cells a kernel of Jupyter runs again and again."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from tests.published_programs.telemetry import conversation, outline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.published_programs.telemetry import Telemetry

pytestmark = pytest.mark.e2e

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"
SKY = '{"question": "Why is the sky blue?"}'
BLUE = (
    "Air scatters short waves of light more than long ones. So the blue part of "
    "sunlight reaches us from all over the sky, and the sky looks blue."
)
AGENT = [(0, "UNKNOWN", "ask"), (1, "CHAT_MODEL", "chat deepseek-flash")]


@contextmanager
def kernel() -> Iterator[Callable[..., str]]:
    """Yields a function that runs cells, by their ids, and returns what they print.

    An exception in a cell is raised. Its output on stderr is part of the text.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    indexes = {cell.id: index for index, cell in enumerate(notebook.cells)}
    client = NotebookClient(notebook, timeout=120)

    def run(*ids: str) -> str:
        text = ""
        for cell_id in ids:
            cell = notebook.cells[indexes[cell_id]]
            client.execute_cell(cell, indexes[cell_id])
            text += "".join(o.text for o in cell.outputs if o.output_type == "stream")
        return text

    with client.setup_kernel():
        yield run


def test_notebook_is_short():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert sum(len(cell.source.splitlines()) for cell in cells) < 40
    assert all("outputs" not in cell or cell.outputs == [] for cell in cells)


def test_cells_can_run_again_in_any_order(
    environment: dict[str, str], telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    output = f"{BLUE}\n['ask', 'chat deepseek-flash'] OK\n"
    with kernel() as run:
        for _ in range(2):
            assert run("telemetry", "client", "question", "trace") == output
        # What the first provider has recorded is not flushed.
        assert run("question", "telemetry", "question") == f"{BLUE}\n" * 2
    traces = telemetry.traces
    assert [outline(trace) for trace in traces] == [AGENT] * 4
    assert [conversation(trace)[:2] for trace in traces] == [("OK", SKY)] * 4
    assert len(telemetry.simulator.exchanges) == 4
