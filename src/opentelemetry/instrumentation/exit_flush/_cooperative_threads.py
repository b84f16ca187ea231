"""Whether threads are those of gevent or eventlet, which share one real thread."""

from __future__ import annotations

import sys


def are_threads_cooperative() -> bool:
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    eventlet = sys.modules.get("eventlet.patcher")
    return eventlet is not None and eventlet.is_monkey_patched("thread")
