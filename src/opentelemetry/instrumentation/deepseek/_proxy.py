"""A proxy that behaves like the SDK object that it wraps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._observer import InvocationObserver


class TransparentProxy:
    """Forwards attributes and `isinstance` to the original object.

    It is not a `wrapt.ObjectProxy`, which defines every special method. The SDK's
    streams have no `len()`, for example, and so their proxies must have none.

    Another instrumentation may replace a method of the object that it was given:
    Langfuse sets `stream.close` to a function that calls the previous `close`. A method
    that the proxy defines, one of `replaceable_methods`, is replaced on the proxy only.
    On the original object the function would call itself through the proxy.
    """

    replaceable_methods: ClassVar[frozenset[str]] = frozenset()

    __slots__ = ("__weakref__", "_observer", "_original", "_replaced_methods")

    _observer: InvocationObserver
    _original: Any
    _replaced_methods: dict[str, Callable[..., Any]]

    def __init__(self, original: Any, observer: InvocationObserver) -> None:
        object.__setattr__(self, "_original", original)
        object.__setattr__(self, "_observer", observer)
        object.__setattr__(self, "_replaced_methods", {})

    @property  # type: ignore[misc]  # isinstance() reads it in addition to type()
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._original.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.replaceable_methods:
            self._replaced_methods[name] = value
        else:
            setattr(self._original, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._replaced_methods:
            del self._replaced_methods[name]
        else:
            delattr(self._original, name)

    def __dir__(self) -> list[str]:
        return dir(self._original)

    def __repr__(self) -> str:
        return repr(self._original)
