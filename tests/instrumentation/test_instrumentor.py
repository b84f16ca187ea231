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


def sdk_methods() -> list[Any]:
    return [vars(owner)[method] for owner, method in METHODS]


def test_uninstrument_restores_the_original_methods(
    instrument: Callable[..., None],
) -> None:
    before = sdk_methods()
    for _ in range(3):
        instrument()
        assert all(a is not b for a, b in zip(sdk_methods(), before, strict=True))
        DeepSeekInstrumentor().uninstrument()
        assert all(a is b for a, b in zip(sdk_methods(), before, strict=True))


def test_bound_method_stored_by_a_client_is_inactive_after_uninstrument(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    instrument()
    bound_method = client.chat.completions.with_raw_response.create
    for _ in range(2):
        deepseek.answer_next(sample("chat_plain.json"))
        bound_method(model="deepseek-flash", messages=QUESTION)
        assert len(telemetry.spans) == 1
        if DeepSeekInstrumentor().is_instrumented_by_opentelemetry:
            DeepSeekInstrumentor().uninstrument()


def test_uninstrument_leaves_an_outer_wrapper_in_place(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for owner, method in METHODS:
        monkeypatch.setattr(owner, method, vars(owner)[method])
    calls: list[str] = []

    def outer_wrapper(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        calls.append("outer")
        return wrapped(*args, **kwargs)

    instrument()
    for owner, method in METHODS:
        wrap_function_wrapper(owner, method, outer_wrapper)
    DeepSeekInstrumentor().uninstrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert (calls, telemetry.spans) == (["outer"], [])

    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert (calls, len(telemetry.spans)) == (["outer"] * 2, 1)
    DeepSeekInstrumentor().uninstrument()


def test_calls_to_other_hosts_are_not_instrumented(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["gateway.example.com"])
    deepseek.answer_next(sample("stream_plain.sse"))

    def close_unwrapped(stream: Any) -> None:
        assert type(stream) in (openai.Stream, openai.AsyncStream)
        return stream.close()

    call(stream=True, consume=close_unwrapped)

    assert telemetry.spans == []


@pytest.mark.parametrize(
    ("arguments", "is_recorded"),
    [
        ({"model": "gpt-4o"}, False),
        ({"model": "deepseek-v4-pro"}, True),
        ({"model": "deepseek-ai/DeepSeek-V3.1"}, True),
        ({"model": "gpt-4o", "extra_body": {"model": "deepseek-v4-pro"}}, True),
        ({"model": "deepseek-v4-pro", "extra_body": {"model": "gpt-4o"}}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("resource", ["chat.completions", "responses"])
def test_every_host_means_calls_of_deepseek_models_only(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    resource: str,
    arguments: dict[str, Any],
    is_recorded: bool,
) -> None:
    instrument(hosts=["*"])
    is_chat = resource == "chat.completions"
    deepseek.answer_next(sample("chat_plain.json" if is_chat else "responses.json"))
    call(resource=resource, **({} if is_chat else {"input": "Hi"}), **arguments)
    assert len(telemetry.spans) == is_recorded


@pytest.mark.parametrize(
    ("hosts", "server_type"),
    [(["127.0.0.1"], "gateway"), (["*"], "unknown"), (["*", "127.0.0.1"], "gateway")],
)
def test_span_has_the_type_of_a_server_that_is_not_deepseeks(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    hosts: list[str],
    server_type: str,
) -> None:
    instrument(hosts=hosts)
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert telemetry.span.attributes["deepseek.server.type"] == server_type
    for points in telemetry.metrics.values():
        assert all("deepseek.server.type" not in p.attributes for p in points)


def test_suppressed_call_is_not_instrumented(
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


def test_hosts_are_read_from_the_environment(
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


def test_invalid_host_raises_and_patches_nothing(
    instrument: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sdk_methods()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "http://gateway")
    with pytest.raises(ValueError, match="OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"):
        instrument(hosts=None)
    assert sdk_methods() == before


@pytest.mark.internal_error
def test_call_of_an_unreadable_client_is_recorded_as_a_request_of_httpx(
    instrument: Callable[..., None], telemetry: Telemetry, deepseek: Simulator
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    completions = client.chat.completions

    class UnreadableCompletions(Completions):
        @property
        def _client(self) -> Any:
            raise RuntimeError

        @_client.setter
        def _client(self, _: Any) -> None: ...

    unreadable = UnreadableCompletions(client)
    unreadable._post = completions._post  # type: ignore[method-assign]
    assert unreadable.create(model="deepseek-flash", messages=QUESTION).usage
    assert telemetry.span.name == "chat deepseek-flash"


def test_second_call_moves_spans_to_its_provider_and_keeps_the_other_arguments(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    """A cell of a notebook runs again: it creates another provider."""
    other = type(telemetry)()
    instrument()
    before = sdk_methods()
    DeepSeekInstrumentor().instrument(tracer_provider=other.tracer_provider)
    deepseek.answer_next(sample("chat_plain.json"), times=2)
    call()  # the host is still one of DeepSeek's
    assert (telemetry.spans, len(other.spans)) == ([], 1)
    assert "gen_ai.client.operation.duration" in telemetry.metrics

    DeepSeekInstrumentor().instrument(hosts=iter(["gateway.example.com", "127.0.0.1"]))
    DeepSeekInstrumentor().instrument()
    call()
    assert (telemetry.spans, len(other.spans)) == ([], 2)
    # The methods are wrapped once.
    wrapped = [method.__wrapped__ for method in sdk_methods()]
    assert wrapped == [method.__wrapped__ for method in before]


def test_second_call_reads_the_environment_again(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instrument()
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"
    )
    DeepSeekInstrumentor().instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert "gen_ai.output.messages" in telemetry.span.attributes


def test_second_call_with_an_invalid_host_changes_nothing(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    with pytest.raises(ValueError, match="OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"):
        DeepSeekInstrumentor().instrument(hosts=["http://gateway"])
    DeepSeekInstrumentor().instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    call()
    assert len(telemetry.spans) == 1


def test_stream_that_is_open_at_a_second_call_ends_in_its_provider(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    other = type(telemetry)()
    instrument("SPAN_ONLY")
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    stream = client.chat.completions.create(
        model="deepseek-flash", messages=QUESTION, stream=True
    )
    next(iter(stream))
    DeepSeekInstrumentor().instrument(tracer_provider=other.tracer_provider)
    for _ in stream:
        pass
    assert other.spans == []
    assert "gen_ai.output.messages" in telemetry.span.attributes


def test_arguments_end_with_uninstrument(
    instrument: Callable[..., None], telemetry: Telemetry
) -> None:
    instrument()
    DeepSeekInstrumentor().uninstrument()
    DeepSeekInstrumentor().instrument()
    assert DeepSeekInstrumentor()._arguments == {}


def test_entry_point_loads_the_instrumentor() -> None:
    (entry,) = entry_points(group="opentelemetry_instrumentor", name="deepseek")
    assert entry.load() is DeepSeekInstrumentor


def test_extra_and_instrumentor_require_the_same_packages() -> None:
    requirements = [
        line.partition(";")[0].replace(" ", "")
        for line in requires("opentelemetry-instrumentation-deepseek") or ()
        if line.endswith(('extra == "openai"', "extra == 'openai'"))
    ]
    assert DeepSeekInstrumentor().instrumentation_dependencies() == _instruments
    assert [sorted(r) for r in requirements] == [
        sorted(i.replace(" ", "")) for i in _instruments
    ]


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout


def test_instrument_imports_neither_openai_nor_the_genai_library() -> None:
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


def test_openai_imported_later_is_patched_while_instrumented() -> None:
    assert (
        run(
            "from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor\n"
            "from wrapt import FunctionWrapper\n"
            "d = DeepSeekInstrumentor()\n"
            "d.instrument(); d.uninstrument(); d.instrument()\n"
            "from openai.resources.chat.completions import Completions\n"
            "def wrapper_count():\n"
            "    c = vars(Completions)['create']\n"
            "    n = 0\n"
            "    while isinstance(c, FunctionWrapper): c, n = c.__wrapped__, n + 1\n"
            "    return n\n"
            "print(wrapper_count()); d.uninstrument(); print(wrapper_count())"
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


def test_module_imported_after_uninstrument_is_not_patched(
    instrument: Callable[..., None],
) -> None:
    before = sdk_methods()
    instrument()
    DeepSeekInstrumentor().uninstrument()
    DeepSeekInstrumentor()._uninstrument()
    # The import hook still calls this, because wrapt cannot remove a hook.
    DeepSeekInstrumentor()._on_import(sys.modules["openai.resources.chat.completions"])
    assert sdk_methods() == before
