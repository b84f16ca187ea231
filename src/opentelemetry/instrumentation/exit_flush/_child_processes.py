"""Processes that end by `os._exit`, which runs no function of `atexit`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from wrapt import register_post_import_hook

from opentelemetry.instrumentation.exit_flush._function_wrappers import FunctionWrappers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.instrumentation.exit_flush._flush import ExitFlush
    from opentelemetry.instrumentation.exit_flush._signal_watch import SignalWatch

# The last function that a process calls before `os._exit`, and the class that has it.
#
# `BaseProcess._bootstrap` is private. It returns after the finalizers of the process
# and after its other threads have ended, whose spans are exported, too. A finalizer,
# which would need no private name, runs before. Coverage.py wraps the same method:
# https://github.com/coveragepy/coveragepy/blob/7.10.0/coverage/multiproc.py
# `process_destructor` sends Celery's signal `worker_process_shutdown`, whose receivers
# in the application may make spans.
_LAST_FUNCTIONS: Final = {
    "multiprocessing.process": ("BaseProcess", "_bootstrap"),
    "billiard.process": ("BaseProcess", "_bootstrap"),
    "celery.concurrency.prefork": (None, "process_destructor"),
}


class ChildProcesses:
    """Flushes at the end of each child process."""

    def __init__(self, flush: ExitFlush, signal_watch: SignalWatch) -> None:
        self._flush = flush
        self._signal_watch = signal_watch
        self._wrappers = FunctionWrappers()
        self._is_active = False
        self._hooked_modules: set[str] = set()

    def install(self) -> None:
        self._is_active = True
        for name in _LAST_FUNCTIONS:
            if (module := sys.modules.get(name)) is not None:
                self._wrap(module)
            elif name not in self._hooked_modules:
                # Only once in a process: wrapt cannot remove a hook.
                self._hooked_modules.add(name)
                register_post_import_hook(self._on_import, name)

    def remove(self) -> None:
        self._is_active = False
        self._wrappers.remove()

    def _on_import(self, module: ModuleType) -> None:
        if self._is_active:
            self._wrap(module)

    def _wrap(self, module: ModuleType) -> None:
        class_name, function_name = _LAST_FUNCTIONS[module.__name__]
        owner: Any = module if class_name is None else getattr(module, class_name, None)
        if hasattr(owner, function_name):
            self._wrappers.add(owner, function_name, self._call_and_flush)

    def _call_and_flush(
        self, original: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        self._signal_watch.start()
        try:
            return original(*args, **kwargs)
        finally:
            self._flush.run(is_final=not _is_spawned())


def _is_spawned() -> bool:
    """Whether the interpreter of this child exits and runs functions of `atexit`."""
    multiprocessing = sys.modules.get("multiprocessing")
    return (
        multiprocessing is not None
        and multiprocessing.get_start_method(allow_none=True) == "spawn"
    )
