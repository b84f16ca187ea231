"""Whatever stands on a span: it arrives, can be read, and harms no other."""

from __future__ import annotations

import json
import urllib.request
import uuid
from types import MappingProxyType, SimpleNamespace

import pytest
from dirty_equals import IsList, IsStr
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._fit import MADE_FIT, fit
from opentelemetry.exporter.mlflow._mapping import UNREAD
from opentelemetry.exporter.mlflow._wording import Wording

CONTEXT = SpanContext(1, 2, is_remote=False)


def span(attributes=None, **more):
    given = {"name": "a", "context": CONTEXT, "resource": Resource({})} | more
    return ReadableSpan(attributes=attributes or {}, **given)


def fitted(value, name="a"):
    """The attribute as it is sent, and what is said of it."""
    attributes = dict(fit(span({name: value})).attributes)
    reasons = attributes.pop(MADE_FIT, ())
    (kept,) = attributes.values()
    return kept, reasons


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = (value,)
    return value


FIT = {
    "text": "Zürich 😀",
    "emoji in the escapes of JSON": r'{"a": "\ud83d\ude00"}',
    "a backslash": r"C:\u0000",
    "a long conversation": json.dumps([{"role": "user", "content": "x"}] * 300),
    "5,000 digits in a text": json.dumps({"a": "1" * 5_000}),
    "brackets in a text": json.dumps("[" * 5_000),
    "brackets between escapes": json.dumps(['\\"[\\'] * 2_000),
    "lists beside each other": json.dumps([[{}]] * 2_000),
    "200 levels": "[" * 200 + "]" * 200,
    "the largest number": 2**63 - 1,
    "texts": ("a", "b"),
    "numbers": (1.0, 2.0),
    "true": True,
    "object": {"a": {"b": 1}},
}


def test_a_cost_of_ours_is_not_touched():
    cost = '{"input_cost": 1.5e-05, "output_cost": 0.0, "total_cost": 1.5e-05}'
    given = span({"mlflow.llm.cost": cost})
    assert fit(given) is given


@pytest.mark.parametrize("value", FIT.values(), ids=FIT)
def test_what_is_fit_is_not_touched(value):
    given = span({"a": value})
    assert fit(given) is given


CHANGED = {
    "half a character": "x\ud800y",
    "half a character in JSON": r'{"a": "\ud800"}',
    "both halves": "\ud83d\ude00",
    "NUL": "x\0y",
    "NUL in JSON": r'{"a": "x\u0000y"}',
    "NUL in a key": r'{"\u0000": NaN}',
    "not a number": float("nan"),
    "infinite": (1.0, float("-inf")),
    "too large": 2**70,
    "bytes": b"\xff\0",
    "an object": {"a": (float("inf"), b"x")},
    "nested": nested(18),
}


def test_what_is_not_fit_is_changed_and_named():
    assert {name: fitted(value) for name, value in CHANGED.items()} == snapshot(
        {
            "half a character": ("x�y", ("a: characters that MLflow cannot keep",)),
            "half a character in JSON": (
                '{"a": "�"}',
                ("a: characters that MLflow cannot keep",),
            ),
            "both halves": ("😀", ("a: characters that MLflow cannot keep",)),
            "NUL": ("x␀y", ("a: characters that MLflow cannot keep",)),
            "NUL in JSON": ('{"a": "x␀y"}', ("a: characters that MLflow cannot keep",)),
            "NUL in a key": ('{"␀": NaN}', ("a: characters that MLflow cannot keep",)),
            "not a number": ("nan", ("a: a number beyond what MLflow keeps",)),
            "infinite": ((1.0, "-inf"), ("a: a number beyond what MLflow keeps",)),
            "too large": (
                "1180591620717411303424",
                ("a: a number beyond what MLflow keeps",),
            ),
            "bytes": (
                "�␀",
                ("a: made a text of bytes", "a: characters that MLflow cannot keep"),
            ),
            "an object": (
                {"a": ("inf", "x")},
                ("a: a number beyond what MLflow keeps", "a: made a text of bytes"),
            ),
            "nested": (
                (((((((((((((((('[["x"]]',),),),),),),),),),),),),),),),),
                ("a: made a text of tuple",),
            ),
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        '{"a":' * 300 + "1" + "}" * 300,
        '[{"\\\\":' * 101 + "1" + "}]" * 101,
        "[" * 201 + "]" * 100,
        "1" * 5_000,
        f"[{'1' * 5_000}]",
    ],
)
def test_what_a_server_in_python_fails_at_is_no_json(text):
    assert fitted(text) == (
        f"(not readable as JSON) {text}",
        ("a: not readable as JSON",),
    )


@pytest.mark.parametrize(
    ("innermost", "written"),
    [
        (b"\xff", '[["\ufffd"]]'),
        (MappingProxyType({"a": 1}), '[[{"a": 1}]]'),
        (1j, '[["1j"]]'),
        (nested(100_000), "(tuple that cannot be written)"),
    ],
)
def test_what_is_nested_too_deep_is_a_text(innermost, written):
    value = innermost
    for _ in range(18):
        value = (value,)
    kept, reasons = fitted(value)
    for _ in range(16):
        (kept,) = kept
    assert kept == written
    assert reasons == ("a: made a text of tuple",)


def test_a_failure_that_has_no_exception_event_has_one_in_mlflow():
    failed = span(
        {"error.type": "E"}, status=Status(StatusCode.ERROR, "why"), end_time=7
    )
    (event,) = Wording().said(failed).events
    assert (event.name, dict(event.attributes), event.timestamp) == (
        "exception",
        {"exception.type": "E", "exception.message": "why"},
        7,
    )
    recorded = Event("exception", {"exception.type": "F"}, 6)
    failed = span({}, status=Status(StatusCode.ERROR), events=[recorded])
    assert Wording().said(failed).events == [recorded]


def test_a_very_long_text_is_cut():
    kept, reasons = fitted("x" * 10_000_000)
    assert kept == "x" * (4 * 2**20 - 1) + "…"
    assert reasons == ("a: cut from 10000000 characters",)


def test_in_json_the_long_texts_are_cut_and_it_stays_json():
    messages = [{"role": "user", "content": "y" * 10_000_000}, {"role": "user"}]
    kept, reasons = fitted(json.dumps({"messages": messages}))
    question, other = json.loads(kept)["messages"]
    assert question["content"] == "y" * 2**16 + "… (10000000 characters)"
    assert other == {"role": "user"}
    assert reasons == ("a: cut from 10000065 characters",)


def test_json_that_is_long_in_itself_is_cut_as_a_text():
    kept, _ = fitted(json.dumps(["x"] * 2_000_000))
    assert len(kept) == 4 * 2**20
    assert kept.endswith("…")


@pytest.mark.parametrize(
    ("name", "longest"),
    [("session.id", 250), ("user.id", 250), ("mlflow.traceTag.a", 4_096)],
)
def test_identities_stay_apart_when_they_are_cut(name, longest):
    one, reasons = fitted("s" * 5_000 + "1", name)
    other, _ = fitted("s" * 5_000 + "2", name)
    assert one != other
    assert len(one) == len(other) == longest
    assert reasons == (f"{name}: cut to {longest} characters",)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("gen_ai.operation.name", ("chat",), '["chat"]'),
        ("gen_ai.operation.name", ' "[1]"', ' "[1]"'),
        ("traceloop.span.kind", "{}", "{}"),
        ("mlflow.llm.cost", "nonsense", "nonsense"),
        ("mlflow.llm.cost", '{"total_cost": 1e999}', '{"total_cost": 1e999}'),
        ("mlflow.chat.tokenUsage", "[1]", "[1]"),
        ("mlflow.chat.tokenUsage", '{"input_tokens": null}', '{"input_tokens": null}'),
    ],
)
def test_what_the_server_fails_to_read_has_another_name(name, value, kept):
    attributes = fit(span({name: value})).attributes
    assert attributes == {
        f"{MADE_FIT}.{name}": kept,
        MADE_FIT: (f"{name}: what MLflow cannot read has another name",),
    }


def test_a_count_that_no_database_adds_up_is_none():
    assert fitted(2**62, "gen_ai.usage.input_tokens") == (
        "4611686018427387904 tokens",
        ("gen_ai.usage.input_tokens: a number beyond what MLflow keeps",),
    )


TIMES = {
    2**63: 2**63 - 1,
    2**70: 2**63 - 1,
    -1: 0,
    1.5e18: 15 * 10**17,
    float("inf"): 2**63 - 1,
    float("nan"): 0,
}


@pytest.mark.parametrize(("time", "kept"), TIMES.items(), ids=map(str, TIMES))
def test_a_time_that_cannot_be_kept_is_the_nearest_one(time, kept):
    given = span(start_time=time, end_time=time, events=[Event("e", {"a": 1}, time)])
    good = fit(given)
    (event,) = good.events
    assert (good.start_time, good.end_time, event.timestamp) == (kept, kept, kept)
    assert event.attributes == {"a": 1}
    assert good.attributes == {
        MADE_FIT: (
            f"an event's time: no time that MLflow keeps ({time})",
            f"the start: no time that MLflow keeps ({time})",
            f"the end: no time that MLflow keeps ({time})",
        )
    }


def test_an_event_alone_may_have_such_a_time():
    events = [Event("e", None, 2**64), Event("f", None, 7)]
    good = fit(span(start_time=1, end_time=2, events=events))
    assert (good.start_time, good.end_time) == (1, 2)
    assert [event.timestamp for event in good.events] == [2**63 - 1, 7]
    (reason,) = good.attributes[MADE_FIT]
    assert reason.startswith("an event's time: ")


class Whole(int):
    """As NumPy's: a whole number of another type."""


@pytest.mark.parametrize("time", [None, 0, Whole(7), 2**63 - 1])
def test_a_time_that_can_be_kept_is_not_touched(time):
    event = Event("e", None, time)
    given = span(start_time=time, end_time=time, events=[event])
    assert fit(given) is given


def test_all_of_a_span_is_made_fit():
    bad = {"n\0": float("nan")}
    given = span(
        bad,
        name="a\0",
        resource=Resource(bad, "https://schema"),
        events=[Event("e\0", bad, 7), Event("e", {"a": 1}, 8)],
        links=[Link(CONTEXT, bad), Link(CONTEXT, {"a": 1})],
        status=Status(StatusCode.ERROR, "d\0"),
        instrumentation_scope=InstrumentationScope("s\0", "1"),
        start_time=1,
        end_time=2,
    )
    good = fit(given)
    clean = {"n␀": "nan"}
    assert good.name == "a␀"
    assert good.attributes == {**clean, MADE_FIT: good.attributes[MADE_FIT]}
    assert (good.resource.attributes, good.resource.schema_url) == (
        clean,
        "https://schema",
    )
    assert [(event.name, event.attributes) for event in good.events] == [
        ("e␀", clean),
        ("e", {"a": 1}),
    ]
    assert [link.attributes for link in good.links] == [clean, {"a": 1}]
    assert good.status.description == "d␀"
    assert good.instrumentation_scope is None
    assert (good.start_time, good.end_time, good.context) == (1, 2, CONTEXT)
    assert good.attributes[MADE_FIT] == snapshot(
        (
            "the span's name: characters that MLflow cannot keep",
            "an attribute's name: characters that MLflow cannot keep",
            "n␀: a number beyond what MLflow keeps",
            "an event's name: characters that MLflow cannot keep",
            "the status: characters that MLflow cannot keep",
            "the scope's name: characters that MLflow cannot keep",
        )
    )


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**62, -(2**63) - 1, 2**70])
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.sampled_from(["[" * 300, "\ud83d", r"\ud800", r'"\u0000"', "{}", "1" * 4_400])
    | st.binary(),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
names = st.text(st.characters(exclude_categories=()), min_size=1) | st.sampled_from(
    ["session.id", "gen_ai.operation.name", "mlflow.llm.cost", "llm.token_count.prompt"]
)


times = st.none() | st.integers() | st.floats() | st.sampled_from([2**63, 2**64, -1])


@given(st.dictionaries(names, anything), names, times)
@example({"session.id": "0" * 27 + "[" * 260}, "too long, and too deep when cut", 0)
def test_everything_can_be_sent_and_what_is_fit_stays_so(attributes, name, time):
    event = Event("e", None, time)
    good = fit(
        span(attributes, name=name, start_time=time, end_time=time, events=[event])
    )
    (of_resource,) = encode_spans([good]).resource_spans
    sent = of_resource.scope_spans[0].spans[0]
    # No name is lost but where two became one.
    assert len(sent.attributes) == len(good.attributes)
    assert json.dumps([dict(good.attributes)], allow_nan=False)
    assert fit(good) is good


# --- a real server


def asked(content):
    return json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": content}]}]
    )


HARD = {
    **{name: {"a": value} for name, value in CHANGED.items()},
    "half a character in a name": {"a\ud800": 1},
    "half a character in a question": {"gen_ai.input.messages": asked("a\ud800b")},
    "NUL in a question": {"gen_ai.input.messages": asked("a\0b")},
    "half a character in inputs": {
        "mlflow.spanInputs": r'{"messages": [{"role": "user", "content": "\ud800"}]}'
    },
    "10 MB": {"a": "x" * 10_000_000},
    "a question of 10 MB": {"gen_ai.input.messages": asked("y" * 10_000_000)},
    "no JSON": {"gen_ai.input.messages": "{[", "gen_ai.tool.definitions": "[1"},
    "a long session": {"session.id": "s" * 300},
    "a long user": {"user.id": "u" * 9_000},
    "a long tag": {"mlflow.traceTag.t": "t" * 5_000},
    "a long type": {"mlflow.spanType": "T" * 600},
    "a long model": {"gen_ai.request.model": "m" * 5_000},
    "deep JSON": {"a": "[" * 5_000},
    "many digits": {"a": "1" * 5_000},
    "a list as operation": {"gen_ai.operation.name": ("chat",)},
    "JSON as operation": {"gen_ai.operation.name": "[1]"},
    "JSON as kind": {"openinference.span.kind": "{}"},
    "no cost": {"mlflow.llm.cost": "nonsense"},
    "no usage": {"mlflow.chat.tokenUsage": '{"input_tokens": "x"}'},
    "too many tokens": {
        "gen_ai.usage.input_tokens": 2**62,
        "gen_ai.usage.output_tokens": 2**62,
        "gen_ai.request.model": "m",
    },
}


TIMELESS = {
    "begins too late": (2**63, None),
    "ends too late": (None, 2**64),
    "ends too early": (None, -1),
    "begins too early": (-(2**70), None),
    "a fraction": (1.5e18, 1.5e18 + 1e9),
    "no number": (float("nan"), float("inf")),
}
BILLED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-flash",
    "gen_ai.usage.input_tokens": 2,
    "gen_ai.usage.output_tokens": 1,
}


@pytest.fixture(scope="module")
def sent(mlflow_server):
    """All of it in one batch, between two spans with no trouble at all."""
    from mlflow import MlflowClient
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
        InMemorySpanExporter,
    )

    finished = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    tracer = provider.get_tracer("test")
    for name, attributes in {"first": {}, **HARD, "last": {}}.items():
        tracer.start_span(name, attributes=attributes).end()
    with tracer.start_as_current_span("an event") as one:
        one.add_event("e\ud800", {"a": float("nan"), "b": 2**70})
        one.add_link(CONTEXT, {"a": float("nan")})
        one.set_status(Status(StatusCode.ERROR, "d\ud800"))
    for name, (start, end) in TIMELESS.items():
        tracer.start_span(name, attributes=BILLED, start_time=start).end(end)
    client = MlflowClient(mlflow_server)
    experiment = client.create_experiment(f"malformed {uuid.uuid4()}")
    exporter = MlflowSpanExporter(tracking_uri=mlflow_server, experiment_id=experiment)
    spans = finished.get_finished_spans()
    exporter.export(spans)
    exporter.shutdown()
    return SimpleNamespace(
        uri=mlflow_server,
        experiment=experiment,
        client=client,
        lost=exporter.lost,
        ids={one.name: f"tr-{one.context.trace_id:032x}" for one in spans},
    )


def attributes(sent, name):
    return sent.client.get_trace(sent.ids[name]).data.spans[0].attributes


@pytest.mark.e2e
def test_nothing_sinks_its_batch(sent):
    found = sent.client.search_traces(locations=[sent.experiment], max_results=200)
    assert sent.lost == 0
    assert {trace.info.trace_id for trace in found} == set(sent.ids.values())


@pytest.mark.e2e
def test_the_page_can_read_all_of_it(sent):
    """By the addresses that MLflow's page asks, as strictly as a browser."""

    def strictly(constant):
        raise ValueError(constant)

    for trace in sent.ids.values():
        for path in (
            f"3.0/mlflow/get-trace-artifact?request_id={trace}",
            f"3.0/mlflow/traces/get?trace_id={trace}",
        ):
            with urllib.request.urlopen(f"{sent.uri}/ajax-api/{path}") as answer:
                assert json.load(answer, parse_constant=strictly)
    location = {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": sent.experiment},
    }
    request = urllib.request.Request(
        f"{sent.uri}/ajax-api/3.0/mlflow/traces/search",
        json.dumps({"locations": [location], "max_results": 200}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        found = json.load(answer, parse_constant=strictly)["traces"]
    assert {trace["trace_id"] for trace in found} == set(sent.ids.values())


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name", sorted({*HARD, *TIMELESS} - {"no JSON", "a long model"})
)
def test_what_was_changed_is_marked(sent, name):
    assert attributes(sent, name)[MADE_FIT] == IsList(length=(1, ...))


@pytest.mark.e2e
def test_what_is_no_conversation_is_shown_as_it_is_and_marked(sent):
    found = attributes(sent, "no JSON")
    assert found[UNREAD] == ["gen_ai.input.messages", "gen_ai.tool.definitions"]
    assert found["mlflow.spanInputs"] == "{["


@pytest.mark.e2e
def test_a_long_session_is_one_session(sent):
    trace = sent.client.get_trace(sent.ids["a long session"])
    session = trace.info.trace_metadata["mlflow.trace.session"]
    assert session == IsStr(regex="s{233}-[0-9a-f]{16}")
    (found,) = sent.client.search_traces(
        locations=[sent.experiment],
        filter_string=f"metadata.`mlflow.trace.session` = '{session}'",
    )
    assert found.info.trace_id == trace.info.trace_id
