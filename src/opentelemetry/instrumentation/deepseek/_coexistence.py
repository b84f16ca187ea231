"""Coexistence with the official OpenAI instrumentation.

That instrumentation records every host as OpenAI. A call to DeepSeek must bypass it.
For this, the wrapper of this package has to be the outermost one, in whatever order
the instrumentations are switched on.
"""

from __future__ import annotations

from typing import Any, Final

from wrapt import BoundFunctionWrapper

# Modules that define an `OpenAIInstrumentor` and, in the same file, its wrappers.
OPENAI_INSTRUMENTATION_MODULES: Final = frozenset(
    {"opentelemetry.instrumentation.genai.openai"}
)

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
