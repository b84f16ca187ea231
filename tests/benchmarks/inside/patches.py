"""Takes off what an instrumentation has put on the SDK, and puts it on again.

Not every peer can be switched off. What it did is found by comparing the SDK's classes
before and after.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from typing import TYPE_CHECKING, Any, Final

import openai.resources

if TYPE_CHECKING:
    from collections.abc import Callable

    Members = dict[tuple[type, str], Any]

_MISSING: Final = object()


class Patches:
    """What calling `switch_on` has changed; on, until it is set otherwise."""

    def __init__(self, switch_on: Callable[[], None]) -> None:
        before = _members()
        switch_on()
        after = _members()
        self._changed = [
            (owner, name, before.get((owner, name), _MISSING), value)
            for (owner, name), value in after.items()
            if before.get((owner, name), _MISSING) is not value
        ]
        if not self._changed:
            raise RuntimeError("nothing was switched on")
        self._on = True

    def set(self, *, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        for owner, name, bare, observed in self._changed:
            value = observed if on else bare
            if value is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def _members() -> Members:
    # Nothing may be imported for the first time while somebody is switched on.
    for module in pkgutil.walk_packages(openai.resources.__path__, "openai.resources."):
        importlib.import_module(module.name)
    classes = {
        value
        for name, module in [*sys.modules.items()]
        if name.partition(".")[0] == "openai"
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__.partition(".")[0] == "openai"
    }
    return {
        (owner, name): value for owner in classes for name, value in vars(owner).items()
    }
