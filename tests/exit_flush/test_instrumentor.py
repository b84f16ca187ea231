"""The instrumentor, its setting, and what it changes in the process."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from functools import partial
from importlib.metadata import entry_points
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import opentelemetry._logs
import opentelemetry.metrics
import opentelemetry.trace
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from wrapt import FunctionWrapper

from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor, _providers
from opentelemetry.instrumentation.exit_flush._background_call import BackgroundCall
from opentelemetry.instrumentation.exit_flush._before_flush import BeforeFlush
from opentelemetry.instrumentation.exit_flush._child_processes import ChildProcesses
from opentelemetry.instrumentation.exit_flush._cooperative_threads import (
    are_threads_cooperative,
)
from opentelemetry.instrumentation.exit_flush._default_action import DefaultAction
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline
from opentelemetry.instrumentation.exit_flush._flush import ExitFlush, exit_flush
from opentelemetry.instrumentation.exit_flush._forks import ForkSignalMask
from opentelemetry.instrumentation.exit_flush._function_wrappers import FunctionWrappers
from opentelemetry.instrumentation.exit_flush._signal_watch import SignalWatch
from opentelemetry.instrumentation.exit_flush.environment_variables import (
    OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)


@pytest.fixture
def instrumentor() -> Iterator[ExitFlushInstrumentor]:
    instrumentor = ExitFlushInstrumentor()
    yield instrumentor
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
    exit_deadline.reset()


class Flush(ExitFlush):
    """Counts its calls instead of flushing."""

    def __init__(self) -> None:
        super().__init__()
        self.timeout = 1.0
        self.runs: list[bool] = []

    def run(self, *, is_final: bool) -> None:
        self.runs.append(is_final)


@pytest.fixture
def flush() -> Flush:
    return Flush()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that would have ended the process."""
    signals: list[int] = []
    module = sys.modules[DefaultAction.__module__]
    monkeypatch.setattr(module, "_raise_signal", signals.append)
    return signals


@pytest.fixture
def action(flush: Flush) -> Iterator[DefaultAction]:
    action = DefaultAction(flush)
    action.install()
    action.wrap_functions()
    yield action
    action.remove()


def test_entry_points_name_the_instrumentor_and_its_variables():
    (instrumentor,) = entry_points(
        group="opentelemetry_instrumentor", name="exit_flush"
    )
    assert instrumentor.load() is ExitFlushInstrumentor
    (variables,) = entry_points(
        group="opentelemetry_environment_variables", name="exit_flush"
    )
    assert vars(variables.load())[NAME] == NAME


def test_uninstrument_restores_signals_and_functions(instrumentor):
    before = (signal.signal, signal.getsignal, signal.raise_signal, os.kill)
    raw_getsignal = signal.getsignal
    instrumentor.instrument()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert callable(raw_getsignal(signal.SIGTERM))
    instrumentor.uninstrument()
    assert (signal.signal, signal.getsignal, signal.raise_signal, os.kill) == before
    assert raw_getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_second_call_replaces_only_the_timeout_and_logs_nothing(instrumentor, caplog):
    instrumentor.instrument()
    handler = signal.getsignal(signal.SIGTERM)
    instrumentor.instrument(timeout=2)
    instrumentor.instrument()
    assert exit_flush.timeout == exit_deadline.timeout == 2
    assert signal.getsignal(signal.SIGTERM) is handler
    assert caplog.messages == []


def test_uninstrument_keeps_the_handler_of_the_application(instrumentor):
    instrumentor.instrument()
    handler: Any = lambda *_: None  # noqa: E731
    assert signal.signal(signal.SIGTERM, handler) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is handler
    instrumentor.uninstrument()
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is handler


@pytest.mark.parametrize(
    ("argument", "variable", "seconds"),
    [(None, None, 5.0), (None, " ", 5.0), (None, "2.5", 2.5), (3, "2.5", 3.0)],
)
def test_argument_precedes_variable(
    instrumentor, monkeypatch, argument, variable, seconds
):
    if variable is not None:
        monkeypatch.setenv(NAME, variable)
    instrumentor.instrument(timeout=argument)
    assert exit_flush.timeout == seconds


@pytest.mark.parametrize("value", ["soon", "0", "-1", "inf", "nan"])
def test_invalid_variable_is_an_error_that_names_it(instrumentor, monkeypatch, value):
    monkeypatch.setenv(NAME, value)
    with pytest.raises(ValueError, match=rf"^{NAME} is '{value}'\. It must be a pos"):
        instrumentor.instrument()
    assert not instrumentor.is_instrumented_by_opentelemetry


def test_invalid_argument_is_an_error_that_names_it(instrumentor):
    with pytest.raises(ValueError, match=r"^timeout is 0\. "):
        instrumentor.instrument(timeout=0)


def test_invalid_variable_is_logged_under_opentelemetry_instrument(
    instrumentor, monkeypatch, caplog
):
    monkeypatch.setenv(NAME, "soon")
    instrumentor.instrument(skip_dep_check=True)
    (message,) = caplog.messages
    assert message == (
        f"{NAME} is 'soon'. It must be a positive number of seconds, for example 5. "
        "The default is used."
    )
    assert exit_flush.timeout == 5.0


def in_thread(function: Any) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_instrument_in_another_thread_is_logged(instrumentor, caplog):
    in_thread(instrumentor.instrument)
    assert "not called in the main thread" in caplog.text
    assert isinstance(signal.signal, FunctionWrapper) is False


def test_uninstrument_in_another_thread_switches_the_flush_off(
    instrumentor, caplog, ended
):
    caplog.set_level(logging.DEBUG, "opentelemetry.instrumentation.exit_flush")
    instrumentor.instrument()
    in_thread(instrumentor.uninstrument)
    assert caplog.messages == ["Not in the main thread: the signal handlers stay"]
    handler: Any = signal.getsignal(signal.SIGTERM)
    # It does what SIG_DFL does.
    handler(signal.SIGTERM, None)
    assert ended == [signal.SIGTERM]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_exporters_read_the_timeout_at_an_ordinary_exit(instrumentor):
    instrumentor.instrument(timeout=2)
    assert exit_deadline.timeout == 2
    assert exit_deadline.remaining_seconds() is None
    instrumentor.uninstrument()
    assert exit_deadline.timeout == 5


def test_first_process_of_a_container_is_flushed_for_each_signal(
    action, flush, ended, monkeypatch
):
    monkeypatch.setattr(os, "getpid", lambda: 1)
    action.handle(signal.SIGTERM)
    action.handle(signal.SIGTERM)
    assert ended == [signal.SIGTERM] * 2
    assert flush.runs == [False, False]
    assert action.is_installed


def test_second_signal_within_a_second_is_the_same_request(action, ended):
    action._first_signal_time = time.monotonic()
    action.handle(signal.SIGTERM)
    assert ended == []
    action._first_signal_time = time.monotonic() - 2
    action.handle(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


def test_new_child_ends_without_a_flush(action, flush, ended):
    action.begin_child()
    action.handle(signal.SIGTERM)
    assert (ended, flush.runs) == ([signal.SIGTERM], [])
    action.continue_child()
    action.handle(signal.SIGTERM)
    assert flush.runs == [True]


def test_child_forgets_the_signal_of_its_parent(action):
    action._first_signal_time = time.monotonic()
    if (child := os.fork()) == 0:
        os._exit(3 if action._first_signal_time is None else 4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


def test_cooperative_threads_do_not_block_the_event_loop(action, ended, monkeypatch):
    gevent = SimpleNamespace(is_module_patched=lambda name: name == "threading")
    monkeypatch.setitem(sys.modules, "gevent.monkey", gevent)
    calls: list[Any] = []
    module = sys.modules[DefaultAction.__module__]
    monkeypatch.setattr(
        module, "_thread", SimpleNamespace(start_new_thread=lambda *a: calls.append(a))
    )
    action.handle(signal.SIGTERM)
    assert ended == []
    ((function, arguments),) = calls
    function(*arguments)
    assert ended == [signal.SIGTERM]


@pytest.mark.parametrize("is_patched", [True, False])
def test_eventlet_has_cooperative_threads(monkeypatch, is_patched):
    monkeypatch.delitem(sys.modules, "gevent.monkey", raising=False)
    eventlet = SimpleNamespace(is_monkey_patched=lambda name: is_patched)
    monkeypatch.setitem(sys.modules, "eventlet.patcher", eventlet)
    assert are_threads_cooperative() is is_patched


def test_sigint_that_ends_the_process_itself_is_flushed_first(action, flush):
    sent: list[Any] = []
    previous = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        action._on_raise_signal(sent.append, signal.SIGINT)
        action._on_kill(lambda *a: sent.append(a), os.getpid(), signal.SIGINT)
        action._on_kill(lambda *a: sent.append(a), -1, signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert flush.runs == [True, True]
    action._on_raise_signal(sent.append, signal.SIGINT)
    assert flush.runs == [True, True]
    assert len(sent) == 4


def test_sigint_with_the_default_action_is_one_of_the_signals(flush):
    previous = signal.signal(signal.SIGINT, signal.SIG_DFL)
    action = DefaultAction(flush)
    try:
        action.install()
        assert signal.SIGINT in action.signals
        action.remove()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, previous)


def test_default_action_set_again_keeps_the_flush(action, flush, ended):
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.raise_signal(signal.SIGTERM)
    assert (flush.runs, ended) == ([True], [signal.SIGTERM])


def test_mask_is_set_during_a_fork_only(action):
    mask = ForkSignalMask(action)
    mask._has_last_hook = True
    current = partial(signal.pthread_sigmask, signal.SIG_BLOCK, ())
    before = current()
    mask._block()
    assert current() >= action.signals
    mask._unblock()
    assert current() == before
    # A library in C forks without `_block`.
    mask._unblock_in_child()
    assert current() == before
    assert action._is_child_starting
    mask._has_last_hook = False
    mask._block()
    mask._unblock_in_child()
    assert mask._has_last_hook
    assert current() == before


def test_signal_watch_sends_a_delayed_signal_again(action, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(signal, "pthread_kill", lambda _, signum: sent.append(signum))
    watch = SignalWatch(action)
    read_fd, write_fd = os.pipe()
    # A signal of the application, and one that has its handler.
    os.write(write_fd, bytes([signal.SIGUSR1, *[signal.SIGTERM] * 20]))
    watch._watch(read_fd)
    assert sent == [signal.SIGTERM] * 20
    os.close(write_fd)
    watch._watch(read_fd)
    os.close(read_fd)
    watch._watch(read_fd)
    assert len(sent) == 20


def test_signal_watch_is_not_seen(action):
    watch = SignalWatch(action)
    watch.start()
    watch.start()
    assert signal.set_wakeup_fd(watch._fds[1]) == -1
    watch.stop()
    watch.stop()
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("is_first", [True, False])
def test_signal_watch_leaves_the_file_descriptor_of_the_application(action, is_first):
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    watch = SignalWatch(action)
    if is_first:
        signal.set_wakeup_fd(write_fd)
    watch.start()
    if not is_first:
        signal.set_wakeup_fd(write_fd)
    watch.stop()
    assert signal.set_wakeup_fd(-1) == write_fd
    os.close(read_fd)
    os.close(write_fd)


def test_signal_watch_needs_the_handler(flush):
    watch = SignalWatch(DefaultAction(flush))
    watch.start()
    assert watch._fds == (-1, -1)


def test_signals_are_not_masked_and_not_watched_on_windows(action, ended, monkeypatch):
    monkeypatch.delattr(signal, "pthread_kill")
    monkeypatch.delattr(signal, "pthread_sigmask")
    watch = SignalWatch(action)
    watch.start()
    assert watch._fds == (-1, -1)
    action.handle(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


def billiard(*, is_supported: bool = True) -> ModuleType:
    module = ModuleType("billiard.process")

    class BaseProcess:
        def _bootstrap(self, code: int) -> int:
            return code

    if is_supported:
        module.BaseProcess = BaseProcess  # type: ignore[attr-defined]
    return module


def test_child_process_is_flushed_after_its_last_function(action, flush, monkeypatch):
    module: Any = billiard()
    monkeypatch.setitem(sys.modules, "billiard.process", module)
    processes = ChildProcesses(flush, SignalWatch(DefaultAction(flush)))
    processes.install()
    assert module.BaseProcess()._bootstrap(3) == 3
    processes.remove()
    assert module.BaseProcess()._bootstrap(3) == 3
    assert len(flush.runs) == 1


def test_module_that_is_imported_later_is_wrapped(flush):
    processes = ChildProcesses(flush, SignalWatch(DefaultAction(flush)))
    module: Any = billiard()
    original = module.BaseProcess._bootstrap
    processes._on_import(module)
    assert module.BaseProcess._bootstrap is original
    processes._is_active = True
    processes._on_import(module)
    processes._on_import(billiard(is_supported=False))
    assert module.BaseProcess()._bootstrap(3) == 3
    processes.install()
    processes.install()
    processes.remove()
    assert len(flush.runs) == 1


def test_wrapper_of_another_library_stays():
    owner = SimpleNamespace(function=lambda: 1)
    wrappers = FunctionWrappers()
    wrappers.add(owner, "function", lambda original: original() + 1)
    assert owner.function() == 2
    other = owner.function = FunctionWrapper(owner.function, lambda w, _, a, k: w())
    wrappers.remove()
    assert owner.function is other


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(_providers, "get_tracer_provider", lambda: provider)
    return provider


def test_processors_of_the_sdk_are_flushed_in_parallel(provider):
    """The private names of the SDK exist."""
    processors = [BatchSpanProcessor(InMemorySpanExporter()) for _ in range(2)]
    for processor in processors:
        provider.add_span_processor(processor)
    assert _providers._span_processors() == tuple(processors)
    assert _providers.shutdowns()[:2] == [p.shutdown for p in processors]
    assert _providers.force_flushes()[:2] == [p.force_flush for p in processors]
    assert _providers.exporter_force_flushes() == [p.force_flush for p in processors]
    provider.shutdown()


def test_other_providers_are_flushed_as_a_whole(monkeypatch):
    provider = SimpleNamespace(shutdown=lambda: None)
    monkeypatch.setattr(_providers, "get_tracer_provider", lambda: provider)
    assert _providers._span_processors() == (provider,)
    assert provider.shutdown in _providers.shutdowns()


def test_providers_of_the_api_need_no_flush(monkeypatch):
    """Without the SDK."""
    for name, provider in (
        ("get_tracer_provider", opentelemetry.trace.NoOpTracerProvider()),
        ("get_meter_provider", opentelemetry.metrics.NoOpMeterProvider()),
        ("get_logger_provider", opentelemetry._logs.NoOpLoggerProvider()),
    ):
        monkeypatch.setattr(_providers, name, partial(lambda p: p, provider))
    assert _providers.shutdowns() == []
    assert _providers.force_flushes() == []


@pytest.mark.parametrize("is_final", [True, False])
def test_flush_is_once_in_a_process(provider, is_final):
    exporter = InMemorySpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    flush = ExitFlush()
    flush.timeout = 5.0
    for _ in range(2):
        provider.get_tracer("test").start_span("a").end()
        flush.run(is_final=is_final)
        assert len(exporter.get_finished_spans()) == 1
    # Not in a thread, where coverage does not see it.
    flush._flush_once(is_final=is_final)
    flush.reset()
    exit_deadline.start(5)
    flush._flush_once(is_final=is_final)
    assert len(exporter.get_finished_spans()) == (1 if is_final else 2)
    provider.shutdown()
    exit_deadline.reset()


def test_flush_without_a_timeout_does_nothing():
    flush = ExitFlush()
    flush.run(is_final=True)
    assert flush._is_flushed is False


def test_flush_while_the_interpreter_shuts_down_is_left_to_the_sdk(monkeypatch):
    def cannot_start(_function: Any) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    module = sys.modules[ExitFlush.__module__]
    monkeypatch.setattr(module, "BackgroundCall", cannot_start)
    flush = ExitFlush()
    flush.timeout = 5.0
    flush.run(is_final=True)
    assert flush._is_flushed is False
    exit_deadline.reset()


def test_failures_are_not_raised_and_a_late_end_is_logged(
    provider, monkeypatch, caplog
):
    def fail() -> None:
        raise LookupError

    module = sys.modules[ExitFlush.__module__]
    monkeypatch.setattr(module, "shutdowns", lambda: [fail, partial(time.sleep, 1)])
    module._call(fail)
    flush = ExitFlush()
    flush.timeout = 0.1
    exit_deadline.start(0.1)
    flush._flush_once(is_final=True)
    (message,) = caplog.messages
    assert message == (
        "Telemetry may be lost: the flush at the end of the process did not end within "
        "0.1 s."
    )
    exit_deadline.reset()


def test_function_that_fails_before_the_flush_does_not_stop_the_others():
    calls: list[str] = []

    def fail() -> None:
        raise LookupError

    before_flush = BeforeFlush()
    for function in (fail, partial(calls.append, "a"), fail):
        before_flush.register(function)
    before_flush.call()
    assert calls == ["a"]


def test_background_call_can_be_waited_for_twice():
    done = threading.Event()
    call = BackgroundCall(done.wait)
    assert not call.wait(0.01)
    done.set()
    assert call.wait(1e300)
    assert call.wait(0)
