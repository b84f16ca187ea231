"""Coexistence with the official OpenAI instrumentation, and with MLflow's autolog.

That instrumentation records every host as OpenAI. A call to DeepSeek must bypass it.
For this, the wrapper of this package has to be the outermost one, in whatever order
the instrumentations are switched on. Autolog removes the wrappers of others when it is
disabled.
"""

from __future__ import annotations

from typing import Any, Final

from wrapt import BoundFunctionWrapper

# Modules that define an `OpenAIInstrumentor` and, in the same file, its wrappers.
OPENAI_INSTRUMENTATION_MODULES: Final = frozenset(
    {"opentelemetry.instrumentation.genai.openai"}
)
# The module whose `revert` restores a method that autolog has patched.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/utils/gorilla.py
AUTOLOG_PATCHES_MODULE: Final = "mlflow.utils.gorilla"

_Wrapper: Final[Any] = BoundFunctionWrapper  # wrapt's types are partially unknown


def unwrap_other_instrumentations(method: Any) -> Any:
    """Returns `method` without the outer wrappers of other instrumentations."""
    while isinstance(method, _Wrapper):
        # The function that wrapt calls for the wrapped one. There is no public name.
        wrapper = method._self_wrapper  # noqa: SLF001  # as above
        if getattr(wrapper, "__module__", None) not in OPENAI_INSTRUMENTATION_MODULES:
            break
        method = method.__wrapped__
    return method


def has_wrapper(method: Any, function: Any) -> bool:
    """Whether wrapt calls `function` for `method`, or for what it wraps."""
    while method is not None:
        if getattr(method, "_self_wrapper", None) is function:
            return True
        method = getattr(method, "__wrapped__", None)
    return False
