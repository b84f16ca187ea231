"""A function of a client library and its wrapper, and what all wrappers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from ._suppress import log_suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_Invocation = TypeVar("_Invocation")


class Patch(NamedTuple):
    """A function, and what takes its place.

    `wrapper` is called with the wrapped function, the instance, args and kwargs.
    `make_method` creates the method without wrapt, from the original one and a value
    that is true until the patch is removed.
    """

    owner: type | ModuleType
    name: str
    wrapper: Any = None
    make_method: Callable[[Any, Sequence[bool]], Any] | None = None


def start_invocation(
    invocation_class: Callable[..., _Invocation], *arguments: Any
) -> _Invocation | None:
    """Returns None if the call is not recorded."""
    # Not `with suppress_errors(…)`: it takes time in every call.
    try:
        return invocation_class(*arguments) if is_instrumentation_enabled() else None
    except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
        log_suppressed("starting a span", error)
        return None
