"""The wrappers of functions and methods, which can be pickled and copied as these can.

Programs pass `litellm.main.completion` to the workers of a pool, and copy objects that
hold a function. wrapt has no copies of its wrappers, and raises an error.
"""

from __future__ import annotations

from copy import deepcopy
from pkgutil import resolve_name
from typing import Any

from wrapt import BoundFunctionWrapper
from wrapt import FunctionWrapper as WraptFunctionWrapper


class _Reference:
    """Pickles a function by its name, and a method by its name and its instance.

    A process that unpickles it gets the wrapper if it has patched the function, too.
    """

    __slots__ = ()

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        function: Any = self
        instance = getattr(function, "__self__", None)
        if instance is not None:
            return getattr, (instance, function.__name__)
        return resolve_name, (f"{function.__module__}:{function.__qualname__}",)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        function, arguments = self.__reduce_ex__(4)
        return function(*deepcopy(arguments, memo))


class _BoundWrapper(_Reference, BoundFunctionWrapper):  # type: ignore[type-arg]  # wrapt 1 is not generic
    __slots__ = ()


class FunctionWrapper(_Reference, WraptFunctionWrapper):  # type: ignore[type-arg]  # as above
    __slots__ = ()

    __bound_function_wrapper__ = _BoundWrapper
