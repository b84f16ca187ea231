"""Coexistence with the official OpenAI instrumentation, and with MLflow's autolog.

That instrumentation records every host as OpenAI. A call to DeepSeek must bypass it.
For this, the wrapper of this package has to be the outermost one, in whatever order
the instrumentations are switched on. So it has to be around autolog's, which finds the
span of the call in the context. Autolog removes the wrappers of others when it is
disabled.
"""

from __future__ import annotations

from typing import Any, Final

from wrapt import BoundFunctionWrapper

# Modules that define an `OpenAIInstrumentor` and, in the same file, its wrappers.
OPENAI_INSTRUMENTATION_MODULES: Final = frozenset(
    {"opentelemetry.instrumentation.genai.openai"}
)
# The module that reads, patches and restores a method for autolog.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/utils/gorilla.py
AUTOLOG_PATCHES_MODULE: Final = "mlflow.utils.gorilla"

_Wrapper: Final[Any] = BoundFunctionWrapper  # wrapt's types are partially unknown


def unwrap_other_instrumentations(method: Any) -> Any:
    """Returns `method` without the outer wrappers of other instrumentations."""
    while isinstance(method, _Wrapper):
        module = getattr(wrapt_function(method), "__module__", None)
        if module not in OPENAI_INSTRUMENTATION_MODULES:
            break
        method = method.__wrapped__
    return method


def wrapt_function(method: Any) -> Any:
    """Returns the function that wrapt calls for the wrapped one; None without wrapt."""
    return getattr(method, "_self_wrapper", None)  # there is no public name
