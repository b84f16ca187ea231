"""Around MLflow's autolog, calls are recorded before and after it is disabled."""

from __future__ import annotations

import pytest

from tests.exporter.programs import run

PROGRAM = """
import mlflow
from openai.resources.chat.completions import Completions
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

def wrappers():
    method, number = vars(Completions)["create"], 0
    while method is not None:
        number += getattr(method, "_self_wrapper", None) is not None
        method = getattr(method, "__wrapped__", None)
    return number

def is_outermost():
    return hasattr(vars(Completions)["create"], "_self_wrapper")

FIRST()
SECOND()
for _ in range(2):
    assert wrappers() == 1 and is_outermost(), wrappers()
    mlflow.openai.autolog(disable=True)
    assert wrappers() == 1 and is_outermost(), wrappers()
    mlflow.openai.autolog()
mlflow.openai.autolog(disable=True)
DeepSeekInstrumentor().uninstrument()
mlflow.openai.autolog()
mlflow.openai.autolog(disable=True)
"""


@pytest.mark.parametrize("is_autolog_first", [True, False])
def test_calls_are_recorded_once_after_autolog_was_disabled(is_autolog_first):
    functions = ["DeepSeekInstrumentor().instrument", "mlflow.openai.autolog"]
    first, second = functions[::-1] if is_autolog_first else functions
    run(PROGRAM.replace("FIRST", first).replace("SECOND", second))
