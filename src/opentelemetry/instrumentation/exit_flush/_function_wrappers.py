"""Functions of modules that are wrapped, and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wrapt import FunctionWrapper

if TYPE_CHECKING:
    from collections.abc import Callable


class _Wrapped(NamedTuple):
    owner: Any
    name: str
    original: Any
    wrapper: Any


class FunctionWrappers:
    def __init__(self) -> None:
        self._wrapped: list[_Wrapped] = []

    def add(self, owner: Any, name: str, function: Callable[..., Any]) -> None:
        """Call `function` with the original function before the arguments of a call.

        `owner` is the module or class that has the function. A method gets its instance
        as a part of the original.
        """

        def call(original: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        # `getattr` would bind a method to its class.
        original = owner.__dict__[name]
        wrapper = FunctionWrapper(original, call)
        setattr(owner, name, wrapper)
        self._wrapped.append(_Wrapped(owner, name, original, wrapper))

    def remove(self) -> None:
        for owner, name, original, wrapper in self._wrapped:
            # Another library may have wrapped the function, too.
            if owner.__dict__[name] is wrapper:
                setattr(owner, name, original)
        self._wrapped = []
