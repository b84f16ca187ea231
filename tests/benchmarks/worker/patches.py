"""Removes and restores the changes that an instrumentation makes.

They are those of the SDK and of httpx. Not every instrumentation can be uninstrumented.
The changes are found by comparing the members of their classes before and after.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import openai.resources

if TYPE_CHECKING:
    from collections.abc import Callable

    Members = dict[tuple[type, str], Any]

_MISSING: Final = object()


class Patches:
    """The changes that `instrument` makes; they are applied at first."""

    def __init__(self, instrument: Callable[[], None]) -> None:
        before = _members()
        instrument()
        after = _members()
        self._changes = [
            (owner, name, before.get((owner, name), _MISSING), value)
            for (owner, name), value in after.items()
            if before.get((owner, name), _MISSING) is not value
        ]
        if not self._changes:
            raise RuntimeError("The instrumentation did not change the SDK.")
        self._applied = True

    def set(self, *, applied: bool) -> None:
        if applied == self._applied:
            return
        self._applied = applied
        for owner, name, original, patched in self._changes:
            value = patched if applied else original
            if value is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def _members() -> Members:
    # All modules are imported first, so that instrumenting does not add classes.
    for module in pkgutil.walk_packages(openai.resources.__path__, "openai.resources."):
        importlib.import_module(module.name)
    classes = {
        value
        for name, module in [*sys.modules.items()]
        if name.partition(".")[0] == "openai"
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__.partition(".")[0] == "openai"
    }
    for name in ("httpx", "httpx2"):
        with suppress(ImportError):
            module = importlib.import_module(name)
            classes |= {module.Client, module.AsyncClient}
    return {
        (owner, name): value for owner in classes for name, value in vars(owner).items()
    }
