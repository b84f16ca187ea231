"""A program with this package behaves as it does with the other package alone."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from .packages import CLIENT_WRAPPERS, PATCHES

ROOT = Path(__file__).parents[2]


@cache
def results(package: str, order: str) -> dict[str, Any]:
    worker = (sys.executable, "-m", "tests.stream_wrappers.worker", package, order)
    run = subprocess.run(
        worker, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


# LangSmith itself raises it for deltas that DeepSeek does not send.
ERRORS_OF_PACKAGES = {"langsmith": {"TypeError"}}


def outcomes(package: str, order: str) -> dict[str, Any]:
    """What the program reads, except where the other package alone raises an error."""
    return {
        usage: {name: value for name, value in result.items() if name != "spans"}
        for usage, result in results(package, order).items()
        if results(package, "other-only")[usage].get("error")
        not in ERRORS_OF_PACKAGES.get(package, ())
    }


ORDERS = ("deepseek-first", "other-first")


def cases(packages, orders):
    """One group for each package, because its runs are cached in one process."""
    return [
        pytest.param(package, order, marks=pytest.mark.xdist_group(package))
        for package, order in product(packages, orders)
    ]


@pytest.mark.parametrize(
    ("package", "order"), cases([*PATCHES, *CLIENT_WRAPPERS], ORDERS)
)
def test_a_program_reads_what_it_reads_with_the_other_package_alone(package, order):
    assert outcomes(package, order) == outcomes(package, "other-only")


# A client that was wrapped before has kept the SDK's original method.
@pytest.mark.parametrize(
    ("package", "order"),
    [*cases(PATCHES, ORDERS), *cases(CLIENT_WRAPPERS, ["deepseek-first"])],
)
def test_every_call_that_succeeds_has_one_span(package, order):
    spans = {
        usage: result["spans"]
        for usage, result in results(package, order).items()
        if "text" in result
    }
    assert spans == {usage: ["chat deepseek-flash"] for usage in spans}
    assert "sync complete" in spans
