"""Beside the official OpenAI instrumentation, which takes every host for OpenAI's.

DeepSeek's calls go past it. For that ours has to be the outermost wrapper, whichever
was switched on first.
"""

from __future__ import annotations

from typing import Any, Final

from wrapt import BoundFunctionWrapper

# Modules with an `OpenAIInstrumentor`, whose wrappers are written in them too.
NEIGHBOURS: Final = frozenset({"opentelemetry.instrumentation.genai.openai"})

_Wrapper: Final[Any] = BoundFunctionWrapper  # wrapt's types are partially unknown


def beneath(method: Any) -> Any:
    """What a neighbour has wrapped; `method` itself if that is no neighbour's."""
    while isinstance(method, _Wrapper):
        # wrapt's name for the function that does a wrapper's work; it has no other.
        theirs = method._self_wrapper  # noqa: SLF001  # as above
        if getattr(theirs, "__module__", None) not in NEIGHBOURS:
            break
        method = method.__wrapped__
    return method
