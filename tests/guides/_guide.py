"""The programs, commands and expected traces of a page in `docs/`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from examples.quickstart._recorded_trace import RecordedTrace

BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
FILE_NAME = re.compile(r"# (\w+\.\w+)\n")
# Commands that run until they are stopped.
SERVER = re.compile(
    r"(mlflow server|python -m examples\.simulator"
    r"|opentelemetry-instrument (uvicorn|gunicorn|celery .*worker))"
)


@dataclass
class Guide:
    """A page, in which

    - a Python block begins with a comment that names its file,
    - a console block has commands,
    - a text block has the traces that the commands before it leave in MLflow, and
    - an output block has the beginning of a line that they log.

    A shell block has commands of another place, such as a notebook of Databricks.
    """

    files: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Guide:
        guide = cls()
        for language, body in BLOCK.findall(path.read_text("utf-8")):
            if language == "python":
                name = FILE_NAME.match(body)
                assert name, f"the block has no file name:\n{body}"
                guide.files[name[1]] = body
            elif language == "console":
                guide.commands += dedent(body).splitlines()
            elif language == "text":
                guide.traces += body.strip().split("\n\n")
            elif language == "output":
                guide.log += body.splitlines()
            elif language != "sh":
                raise AssertionError(f"unexpected block: {language}")
        return guide

    @property
    def packages(self) -> str:
        """What the commands install."""
        lines = [c for c in self.commands if c.startswith("pip install ")]
        return " ".join(line.removeprefix("pip install ") for line in lines)


def tree(trace: RecordedTrace) -> str:
    """Name and type of each span, as the guides have them."""
    return "\n".join(f"{'  ' * s.depth}{s.name} ({s.type})" for s in trace.spans)
