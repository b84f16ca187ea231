from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, requires
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from opentelemetry.instrumentation.utils import suppress_instrumentation
from wrapt import wrap_function_wrapper

from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from opentelemetry.instrumentation.deepseek.package import _instruments

from .conftest import QUESTION, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

METHODS = [(o, m) for o in (Completions, AsyncCompletions) for m in ("create", "parse")]


def on_the_class() -> list[Any]:
    return [vars(owner)[method] for owner, method in METHODS]


def test_switched_off_the_sdk_has_its_own_methods_again(
    instrument: Callable[..., None],
) -> None:
    before = on_the_class()
    for _ in range(3):
        instrument()
        assert all(a is not b for a, b in zip(on_the_class(), before, strict=True))
        DeepSeekInstrumentor().uninstrument()
        assert all(a is b for a, b in zip(on_the_class(), before, strict=True))


def test_a_method_that_a_client_kept_is_switched_off_too(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    instrument()
    kept = client.chat.completions.with_raw_response.create
    for _ in range(2):
        deepseek.answer_next(sample("chat_plain.json"))
        kept(model="deepseek-flash", messages=QUESTION)
        assert len(telemetry.spans) == 1
        if DeepSeekInstrumentor().is_instrumented_by_opentelemetry:
            DeepSeekInstrumentor().uninstrument()


def test_somebody_elses_wrapper_around_ours_stays(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for owner, method in METHODS:
        monkeypatch.setattr(owner, method, vars(owner)[method])
    seen: list[str] = []

    def theirs(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        seen.append("theirs")
        return wrapped(*args, **kwargs)

    instrument()
    for owner, method in METHODS:
        wrap_function_wrapper(owner, method, theirs)
    DeepSeekInstrumentor().uninstrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert (seen, telemetry.spans) == (["theirs"], [])

    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert (seen, len(telemetry.spans)) == (["theirs"] * 2, 1)
    DeepSeekInstrumentor().uninstrument()


def test_other_hosts_are_left_alone(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["gateway.example.com"])
    deepseek.answer_next(sample("stream_plain.sse"))

    def bare(stream: Any) -> None:
        assert type(stream) in (openai.Stream, openai.AsyncStream)
        return stream.close()

    call(stream=True, using=bare)

    assert telemetry.spans == []


def test_suppressed_is_left_alone(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    with suppress_instrumentation():
        call()
    assert telemetry.spans == []


def test_hosts_come_from_the_environment(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "a.example, 127.0.0.1")
    instrument(hosts=None)
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert len(telemetry.spans) == 1


def test_a_malformed_host_is_refused_and_nothing_is_wrapped(
    instrument: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = on_the_class()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "http://gateway")
    with pytest.raises(ValueError, match="OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"):
        instrument(hosts=None)
    assert on_the_class() == before


@pytest.mark.internal_error
def test_a_client_that_cannot_be_read_is_left_alone(
    instrument: Callable[..., None], telemetry: Telemetry, deepseek: Simulator
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    completions = client.chat.completions

    class Odd(Completions):
        @property
        def _client(self) -> Any:
            raise RuntimeError

        @_client.setter
        def _client(self, _: Any) -> None: ...

    odd = Odd(client)
    odd._post = completions._post  # type: ignore[method-assign]
    assert odd.create(model="deepseek-flash", messages=QUESTION).usage
    assert telemetry.spans == []


def test_the_entry_point_is_the_instrumentor() -> None:
    (entry,) = entry_points(group="opentelemetry_instrumentor", name="deepseek")
    assert entry.load() is DeepSeekInstrumentor


def test_the_extra_and_the_instrumentor_ask_for_the_same() -> None:
    wanted = [
        line.partition(";")[0].replace(" ", "")
        for line in requires("opentelemetry-instrumentation-deepseek") or ()
        if line.endswith(('extra == "instruments"', "extra == 'instruments'"))
    ]
    assert DeepSeekInstrumentor().instrumentation_dependencies() == _instruments
    assert [sorted(w) for w in wanted] == [
        sorted(i.replace(" ", "")) for i in _instruments
    ]


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout


def test_a_program_without_openai_pays_for_neither_it_nor_the_genai_library() -> None:
    assert (
        run(
            "import sys\n"
            "from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor\n"
            "DeepSeekInstrumentor().instrument()\n"
            "print({n for n in ('openai', 'mlflow', 'opentelemetry.sdk',"
            " 'opentelemetry.util.genai.handler') if n in sys.modules})"
        )
        == "set()\n"
    )


def test_openai_imported_later_is_wrapped_then_and_only_while_switched_on() -> None:
    assert (
        run(
            "from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor\n"
            "from wrapt import FunctionWrapper\n"
            "d = DeepSeekInstrumentor()\n"
            "d.instrument(); d.uninstrument(); d.instrument()\n"
            "from openai.resources.chat.completions import Completions\n"
            "def wrapped():\n"
            "    c = vars(Completions)['create']\n"
            "    n = 0\n"
            "    while isinstance(c, FunctionWrapper): c, n = c.__wrapped__, n + 1\n"
            "    return n\n"
            "print(wrapped()); d.uninstrument(); print(wrapped())"
        )
        == "1\n0\n"
    )
    assert (
        run(
            "from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor\n"
            "from wrapt import FunctionWrapper\n"
            "d = DeepSeekInstrumentor()\n"
            "d.instrument(); d.uninstrument()\n"
            "from openai.resources.chat.completions import Completions\n"
            "print(isinstance(vars(Completions)['create'], FunctionWrapper))"
        )
        == "False\n"
    )


def test_what_is_imported_while_switched_off_is_left_alone(
    instrument: Callable[..., None],
) -> None:
    before = on_the_class()
    instrument()
    DeepSeekInstrumentor().uninstrument()
    DeepSeekInstrumentor()._uninstrument()
    # What the import hook does, which is there for good.
    DeepSeekInstrumentor()._on_import(sys.modules["openai.resources.chat.completions"])
    assert on_the_class() == before
