"""Functions that return the id of a trace return that of the call."""

from __future__ import annotations

import pytest

from .conftest import otel_trace_id

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("place", ["call", "agent"])
def test_last_trace_is_that_of_the_last_call(run_program, recorder, place):
    run = run_program(recorder, "last_trace", place)
    first, second = [f"tr-{otel_trace_id(trace)}" for trace in run.traces]
    assert run.printed == {"ada": first, "bob": second, "here": None, "last": second}


def test_active_trace_is_that_of_the_call(run_program, recorder):
    run = run_program(recorder, "active_trace")
    assert run.printed["active"] == f"tr-{otel_trace_id(run.trace)}"
    assert [span.name for span in run.trace.data.spans] == [
        "outer",
        "chat deepseek-v4-flash",
    ]
