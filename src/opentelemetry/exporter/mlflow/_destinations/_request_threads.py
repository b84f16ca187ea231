"""Threads that send requests, so that the caller need not wait for their end."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# One waits for a server that does not respond while another one sends again.
_MIN_IDLE_THREADS = 2


class RequestThreads:
    """Daemon threads, which are started before they are needed.

    Since Python 3.12 no thread can start while the interpreter shuts down, which is
    when a short program exports. `concurrent.futures.ThreadPoolExecutor` accepts no
    work then, and it waits for its threads without a limit.
    """

    def __init__(self) -> None:
        self._after_fork()
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        """Forget the threads of the parent process."""
        # Its methods are atomic. A lock would have to be reentrant.
        self._idle: deque[SimpleQueue[Callable[[], object]]] = deque()

    def start(self) -> None:
        """Start threads until two are idle, or until no thread can start."""
        with suppress(RuntimeError):
            while len(self._idle) < _MIN_IDLE_THREADS:
                self._idle.append(self._start_thread())

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Call a function in an idle thread, with the context of the caller.

        Raises RuntimeError if no thread is idle and none can start.
        """
        future: Future[T] = Future()
        context = copy_context()

        def run() -> None:
            try:
                future.set_result(context.run(function))
            except BaseException as error:  # noqa: BLE001  # raised in the calling thread
                future.set_exception(error)

        try:
            tasks = self._idle.pop()
        except IndexError:
            tasks = self._start_thread()
        tasks.put(run)
        return future

    def _start_thread(self) -> SimpleQueue[Callable[[], object]]:
        tasks: SimpleQueue[Any] = SimpleQueue()
        thread = threading.Thread(
            target=self._run, args=[tasks], name="MlflowRequest", daemon=True
        )
        thread.start()
        return tasks

    def _run(self, tasks: SimpleQueue[Callable[[], object]]) -> None:
        while True:
            run = tasks.get()
            run()
            del run  # It references the response.
            if len(self._idle) >= _MIN_IDLE_THREADS:
                return
            self._idle.append(tasks)


request_threads = RequestThreads()
