from __future__ import annotations

import json
import time
import uuid
from datetime import datetime
from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import set_span_in_context

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._prices._file import price_list, tomllib
from opentelemetry.exporter.mlflow._settings import Setting
from opentelemetry.exporter.mlflow._wording import Wording

OURS = files("opentelemetry.exporter.mlflow._prices") / "prices.toml"
VARIABLE = "OTEL_EXPORTER_MLFLOW_PRICES"
HOSTS = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"

PEAK = "2026-11-20T01:00:00+00:00"  # a Friday
OFF_PEAK = "2026-11-20T00:59:59.999999+00:00"


def at(moment: str) -> int:
    given = datetime.fromisoformat(moment)
    return (
        int(given.replace(microsecond=0).timestamp()) * 1_000_000 + given.microsecond
    ) * 1_000


def call(model="deepseek-flash", **more):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.cache_read.input_tokens": 600_000,
        "gen_ai.usage.output_tokens": 100_000,
        "gen_ai.usage.reasoning.output_tokens": 40_000,
        "server.address": "api.deepseek.com",
        "server.port": 443,
    } | more


def without(attributes, *names):
    return {k: v for k, v in attributes.items() if k not in names}


def ours():
    return price_list(Setting(None, VARIABLE))


def cost(attributes, moment=OFF_PEAK, prices=None):
    """None: nothing is said; {}: that there is no cost."""
    said = (prices or ours()).cost(attributes, at(moment))
    return None if said is None else json.loads(said)


def total(attributes, moment=OFF_PEAK, prices=None):
    return cost(attributes, moment, prices)["total_cost"]


@pytest.fixture
def newer(tmp_path):
    """Our list under a newer file."""

    def read(text):
        path = tmp_path / "newer.toml"
        path.write_text(text)
        return price_list(Setting(str(path), VARIABLE))

    return read


def test_hits_misses_and_answers_are_priced_apart_and_reasoning_is_answer():
    # 0.6 at 0.003, 0.4 at 0.15; 0.1 at 0.60
    assert cost(call()) == {
        "input_cost": 0.0618,
        "output_cost": 0.06,
        "total_cost": 0.1218,
    }


def test_a_price_is_exact_to_the_last_token():
    tokens = {
        "gen_ai.usage.input_tokens": 1_048_573,
        "gen_ai.usage.cache_read.input_tokens": 7,
        "gen_ai.usage.output_tokens": 393_211,
    }
    asked = (7 * Fraction("0.044") + 1_048_566 * Fraction("1.32")) / 1_000_000
    answered = 393_211 * Fraction("3.96") / 1_000_000
    assert cost(call("deepseek-v4-pro") | tokens, PEAK) == {
        "input_cost": float(asked),
        "output_cost": float(answered),
        "total_cost": float(asked + answered),
    }


HISTORY = [
    ("deepseek-flash", "2026-11-20T12:00:00+00:00", (0.003, 0.15, 0.60)),
    ("deepseek-flash", "2026-11-20T02:00:00+00:00", (0.006, 0.30, 1.20)),
    ("deepseek-v4-flash", "2026-11-20T02:00:00+00:00", (0.006, 0.30, 1.20)),
    ("deepseek-v4-flash-vision-exp", "2026-11-20T02:00:00+00:00", (0.006, 0.30, 1.20)),
    ("deepseek-v4-pro", "2026-11-20T12:00:00+00:00", (0.022, 0.66, 1.98)),
    ("deepseek-v4-pro", "2026-11-20T02:00:00+00:00", (0.044, 1.32, 3.96)),
    # Before V4.1 Flash, and the moment it came, midnight in Beijing.
    ("deepseek-v4-flash", "2026-09-09T15:59:59+00:00", (0.007, 0.22, 0.66)),
    ("deepseek-v4-flash", "2026-09-09T16:00:00+00:00", (0.003, 0.15, 0.60)),
    ("deepseek-v4-flash", "2026-09-09T02:00:00+00:00", (0.014, 0.44, 1.32)),
    ("deepseek-flash", "2026-09-09T15:59:59+00:00", None),
    # The Saturday before weekends became off-peak, and the Sunday on which they did.
    ("deepseek-v4-flash", "2026-08-22T02:00:00+00:00", (0.014, 0.44, 1.32)),
    ("deepseek-v4-flash", "2026-08-23T02:00:00+00:00", (0.007, 0.22, 0.66)),
    ("deepseek-v4-pro", "2026-08-22T02:00:00+00:00", (0.044, 1.32, 3.96)),
    ("deepseek-v4-pro", "2026-08-23T02:00:00+00:00", (0.022, 0.66, 1.98)),
    # The evening on which hours began to matter.
    ("deepseek-v4-pro", "2026-08-16T15:59:59+00:00", (0.003625, 0.435, 0.87)),
    ("deepseek-v4-pro", "2026-08-16T16:00:00+00:00", (0.022, 0.66, 1.98)),
    ("deepseek-v4-flash", "2026-08-16T15:59:59+00:00", (0.0028, 0.14, 0.28)),
    ("deepseek-v4-flash", "2026-06-01T02:00:00+00:00", (0.0028, 0.14, 0.28)),
    ("deepseek-v4-flash", "2026-04-26T12:14:59+00:00", (0.028, 0.14, 0.28)),
    ("deepseek-v4-pro", "2026-04-24T12:00:00+00:00", (0.145, 1.74, 3.48)),
    ("deepseek-v4-pro", "2026-04-25T12:00:00+00:00", None),
    ("deepseek-v4-flash", "2026-04-23T12:00:00+00:00", None),
    # Names of V3.2, then of V4 Flash, then of nothing.
    ("deepseek-chat", "2026-01-15T02:00:00+00:00", (0.028, 0.28, 0.42)),
    ("deepseek-reasoner", "2026-04-23T23:59:59+00:00", (0.028, 0.28, 0.42)),
    ("deepseek-reasoner", "2026-04-24T12:00:00+00:00", None),
    ("deepseek-chat", "2026-04-25T12:00:00+00:00", (0.028, 0.14, 0.28)),
    ("deepseek-chat", "2026-07-24T15:59:59+00:00", (0.0028, 0.14, 0.28)),
    ("deepseek-chat", "2026-07-24T16:00:00+00:00", None),
    ("deepseek-chat", "2025-09-29T12:00:00+00:00", None),
]


@pytest.mark.parametrize(("model", "moment", "prices"), HISTORY)
def test_a_trace_of_then_has_the_price_of_then(model, moment, prices):
    million = {
        "gen_ai.usage.input_tokens": 2_000_000,
        "gen_ai.usage.cache_read.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 1_000_000,
    }
    found = cost(call(model) | million, moment)
    if prices is None:
        assert found == {}
    else:
        hit, miss, output = (Fraction(str(price)) for price in prices)
        assert found == {
            "input_cost": float(hit + miss),
            "output_cost": float(output),
            "total_cost": float(hit + miss + output),
        }


@pytest.mark.parametrize(
    ("moment", "is_peak"),
    [
        ("2026-11-20T00:59:59.999999+00:00", False),
        ("2026-11-20T01:00:00+00:00", True),
        ("2026-11-20T09:00:00+08:00", True),
        ("2026-11-20T03:59:59.999999+00:00", True),
        ("2026-11-20T04:00:00+00:00", False),
        ("2026-11-20T05:59:59.999999+00:00", False),
        ("2026-11-20T06:00:00+00:00", True),
        ("2026-11-20T09:59:59.999999+00:00", True),
        ("2026-11-20T10:00:00+00:00", False),
        ("2026-11-20T23:30:00+00:00", False),
        # Saturday, Sunday, Monday.
        ("2026-11-21T02:00:00+00:00", False),
        ("2026-11-22T08:00:00+00:00", False),
        ("2026-11-23T08:00:00+00:00", True),
        # Mid-Autumn Festival, and the National Day's holidays; then a Sunday and a
        # Saturday that were worked, and the days around them.
        ("2026-09-24T02:00:00+00:00", True),
        ("2026-09-25T02:00:00+00:00", False),
        ("2026-09-28T02:00:00+00:00", True),
        ("2026-10-01T02:00:00+00:00", False),
        ("2026-10-07T08:00:00+00:00", False),
        ("2026-10-08T08:00:00+00:00", True),
        ("2026-09-20T02:00:00+00:00", False),
        ("2026-10-10T02:00:00+00:00", False),
        ("2027-01-01T02:00:00+00:00", False),
    ],
)
def test_the_moment_of_the_start_decides_what_is_peak(moment, is_peak):
    assert total(call(), moment) == (0.2436 if is_peak else 0.1218)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Los_Angeles"])
def test_the_clock_of_the_machine_does_not_matter(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert [total(call(), moment) for moment in (OFF_PEAK, PEAK)] == [
            0.1218,
            0.2436,
        ]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_the_days_of_a_window_are_those_of_its_own_offset(newer):
    late = newer(
        """
        [windows.workdays]
        offset = "+08:00"
        times = [[00:00:00, 08:00:00]] # 16:00 to 24:00 UTC of the day before
        weekdays = ["Mon"]
        """
    )
    # Sunday in London, Monday in Beijing; and the same a day later.
    assert total(call(), "2026-11-22T18:00:00+00:00", late) == 0.2436
    assert total(call(), "2026-11-23T18:00:00+00:00", late) == 0.1218
    west = newer(
        """
        [windows.workdays]
        offset = "-03:30"
        times = [[21:00:00, 23:30:00]]
        weekdays = ["Sun"]
        """
    )
    assert total(call(), "2026-11-23T00:30:00+00:00", west) == 0.2436
    assert total(call(), "2026-11-23T03:00:00+00:00", west) == 0.1218


def test_the_model_that_answered_goes_before_the_one_asked_for():
    renamed = call(**{"gen_ai.request.model": "deepseek-v4-pro"})
    assert total(renamed) == 0.1218
    assert total(without(renamed, "gen_ai.response.model")) == total(
        call("deepseek-v4-pro")
    )
    # Another model served it, at who knows what price.
    assert cost(call(**{"gen_ai.response.model": "deepseek-v9"})) is None


ZEROS = ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.output_tokens"]


@pytest.mark.parametrize("name", ZEROS)
def test_a_count_that_is_absent_is_zero(name):
    assert cost(without(call(), name)) == cost(call() | {name: 0})


def test_without_any_usage_there_is_nothing_to_say():
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    assert cost(without(call(), *names)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"gen_ai.usage.cache_read.input_tokens": 1_000_001},
        {"gen_ai.usage.cache_read.input_tokens": -1},
        {"gen_ai.usage.output_tokens": -1},
        {"gen_ai.usage.output_tokens": "100"},
        {"gen_ai.usage.output_tokens": 1.5},
        {"gen_ai.usage.output_tokens": True},
        {"gen_ai.usage.output_tokens": 10**400},
        {"gen_ai.usage.input_tokens": 10**400},
    ],
    ids=str,
)
def test_counts_that_cannot_be_right_have_no_cost(wrong):
    assert cost(call() | wrong) == {}


def test_a_span_that_never_began_has_no_cost():
    assert ours().cost(call(), None) == "{}"


ELSEWHERE = [
    {"gen_ai.provider.name": "openrouter"},
    {"gen_ai.provider.name": "azure.ai.inference"},
    {"gen_ai.provider.name": ["deepseek"]},
    {"gen_ai.provider.name": "openai", "server.address": None},
    {"gen_ai.provider.name": "openai", "server.address": "api.siliconflow.cn"},
    {"gen_ai.provider.name": None, "gen_ai.system": None},
    {"server.address": "127.0.0.1"},
    {"server.address": "deepseek.com.example.com"},
    {"server.address": "notdeepseek.com"},
    {"server.address": 7},
]


@pytest.mark.parametrize("place", ELSEWHERE, ids=str)
def test_a_model_served_elsewhere_never_gets_the_prices_of_deepseek(place):
    assert cost(call() | place) == {}


@pytest.mark.parametrize(
    "place",
    [
        {"server.address": None},
        {"server.address": "API.DeepSeek.com"},
        {"gen_ai.provider.name": None, "gen_ai.system": "deepseek"},
        # What the instrumentations of the openai package say of any server.
        {"gen_ai.provider.name": "openai"},
    ],
    ids=str,
)
def test_what_deepseek_serves_has_its_price(place):
    assert total(call() | place) == 0.1218


GATEWAY = {"server.address": "gateway.example.com", "server.port": 8443}


@pytest.mark.parametrize(
    ("hosts", "is_priced"),
    [
        ("gateway.example.com", True),
        ("other.example.com, Gateway.Example.com:8443 ,", True),
        ("gateway.example.com:443", False),
        ("example.com", False),
        ("*", False),
        ("", False),
    ],
)
def test_a_gateway_that_the_user_names_to_the_instrumentation_is_deepseek(
    monkeypatch, hosts, is_priced
):
    monkeypatch.setenv(HOSTS, hosts)
    assert bool(cost(call() | GATEWAY)) is is_priced
    assert total(call()) == 0.1218


@pytest.mark.parametrize("host", ["*", "*.example.com", "gateway.example.com:8443"])
def test_a_file_names_who_else_takes_the_prices(newer, host):
    prices = newer(f'hosts = ["{host}"]')
    assert total(call() | GATEWAY, prices=prices) == 0.1218
    assert total(call(), prices=prices) == 0.1218


def test_models_of_others_are_none_of_our_business():
    assert cost(call("gpt-5")) is None
    assert cost({"http.request.method": "GET"}) is None
    assert cost({}) is None


@pytest.mark.parametrize("known", ["{}", '{"total_cost": 1.0}'])
def test_a_cost_that_is_known_already_goes_before_ours(spans, known):
    span = spans.made("chat", call() | {"mlflow.llm.cost": known})
    assert Wording(ours()).said(span).attributes["mlflow.llm.cost"] == known


def test_a_model_that_a_newer_file_names_is_priced_by_it_alone(newer):
    prices = newer(
        """
        [[prices]]
        models = ["deepseek-flash", "deepseek-v5"]
        from = 2026-12-01T00:00:00Z
        currency = "USD"
        cache_hit = 1
        cache_miss = 10
        output = 100.0
        """
    )
    later = "2026-12-01T02:00:00+00:00"
    assert cost(call(), later, prices) == {
        "input_cost": 4.6,
        "output_cost": 10.0,
        "total_cost": 14.6,
    }
    assert total(call("deepseek-v5"), later, prices) == 14.6
    assert cost(call(), PEAK, prices) == {}
    assert total(call("deepseek-v4-flash"), PEAK, prices) == 0.2436


def test_a_newer_file_knows_more_holidays(newer):
    workdays = (
        files("opentelemetry.exporter.mlflow._prices") / "prices.toml"
    ).read_text()
    workdays = workdays[workdays.index("[windows.workdays]") :]
    workdays = workdays[: workdays.index("]\n\n") + 2]
    prices = newer(workdays.replace("2027-01-01,", "2027-01-01, 2027-02-08,"))
    assert total(call(), "2027-02-08T02:00:00+00:00") == 0.2436
    assert total(call(), "2027-02-08T02:00:00+00:00", prices) == 0.1218


def test_every_row_says_where_it_is_from():
    text = (files("opentelemetry.exporter.mlflow._prices") / "prices.toml").read_text(
        "utf-8"
    )
    rows = tomllib.loads(text)["prices"]
    assert {row["source"] for row in rows} == snapshot(
        {
            "https://api-docs.deepseek.com/quick_start/pricing",
            "https://api-docs.deepseek.com/news/news260424",
            "https://api-docs.deepseek.com/news/news250929",
        }
    )


ROW = """
[[prices]]
models = ["m"]
from = 2026-09-10T00:00:00Z
currency = "USD"
cache_hit = 0.003
cache_miss = 0.15
output = 0.60
"""
WINDOW = """
[windows.w]
offset = "+08:00"
times = [[09:00:00, 12:00:00]]
"""

BAD = {
    "no toml": (
        "hosts = [",
        snapshot("Invalid value (at end of document)"),
    ),
    "hosts": (
        'hosts = "a"',
        snapshot("line 1: hosts takes a list of names"),
    ),
    "host": (
        "hosts = [1]",
        snapshot("line 1: hosts takes a list of names"),
    ),
    "unknown": (
        '\nhost = ["a"]',
        snapshot("line 2: there is no setting 'host'"),
    ),
    "no table": (
        "prices = [1]",
        snapshot("line 1: here is no table"),
    ),
    "no tables": (
        "prices = {}",
        snapshot("line 1: prices takes tables: [[prices]]"),
    ),
    "misspelt": (
        ROW.replace("cache_hit", "cache_hits"),
        snapshot("line 6: there is no setting 'cache_hits'"),
    ),
    "missing": (
        ROW.replace("output = 0.60", ""),
        snapshot("line 2: output takes USD per million tokens, as 0.15"),
    ),
    "missing in the first": (
        ROW.replace("output = 0.60", "") + ROW,
        snapshot("line 2: output takes USD per million tokens, as 0.15"),
    ),
    "text": (
        ROW + ROW.replace("0.15", '"0.15"'),
        snapshot("line 15: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "negative": (
        ROW.replace("0.15", "-0.15"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "too much": (
        ROW.replace("0.15", "1e300"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "indented": (
        ROW.replace("\n", "\n  ").replace("0.15", "-1"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "truth": (
        ROW.replace("0.15", "true"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "not a number": (
        ROW.replace("0.15", "nan"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "currency": (
        ROW.replace("USD", "CNY"),
        snapshot('line 5: currency takes "USD", which MLflow counts in'),
    ),
    "no offset": (
        ROW.replace("00Z", "00"),
        snapshot(
            "line 4: from takes a time with an offset, as 2026-09-10T00:00:00+08:00"
        ),
    ),
    "day": (
        ROW.replace("T00:00:00Z", ""),
        snapshot(
            "line 4: from takes a time with an offset, as 2026-09-10T00:00:00+08:00"
        ),
    ),
    "no models": (
        ROW.replace('["m"]', '"m"'),
        snapshot("line 3: models takes a list of names"),
    ),
    "backwards": (
        ROW + "until = 2026-09-09T00:00:00Z",
        snapshot("line 9: until takes a time after that of from"),
    ),
    "twice": (
        ROW + ROW,
        snapshot("line 11: m has another price then"),
    ),
    "source": (
        ROW + "source = 1",
        snapshot("line 9: source takes the address where the price stands"),
    ),
    "peak": (
        ROW + "peak = 2",
        snapshot("line 9: peak takes a window and its prices"),
    ),
    "window": (
        ROW + 'peak = { window = "w", cache_hit = 1, cache_miss = 1, output = 1 }',
        snapshot("line 9: peak: window takes one of the windows: daily, workdays"),
    ),
    "no window": (
        ROW + "peak = { cache_hit = 1, cache_miss = 1, output = 1 }",
        snapshot("line 9: peak: window takes one of the windows: daily, workdays"),
    ),
    "peak without": (
        ROW + 'peak = { window = "daily", output = 1 }',
        snapshot("line 9: peak: cache_hit takes USD per million tokens, as 0.15"),
    ),
    "offset": (
        WINDOW.replace("+08:00", "Asia/Shanghai"),
        snapshot('line 3: offset takes the hours and minutes from UTC, as "+08:00"'),
    ),
    "times": (
        WINDOW.replace("12:00:00", "08:00:00"),
        snapshot(
            "line 4: times takes pairs of times of one day: [[09:00:00, 12:00:00]]"
        ),
    ),
    "weekdays": (
        WINDOW + 'weekdays = ["Monday"]',
        snapshot("line 5: weekdays takes some of Mon, Tue, Wed, Thu, Fri, Sat, Sun"),
    ),
    "holidays": (
        WINDOW + 'holidays = ["2026-10-01"]',
        snapshot("line 5: holidays takes dates, as [2026-10-01]"),
    ),
    "setting": (
        WINDOW + "zone = 8",
        snapshot("line 5: there is no setting 'zone'"),
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(
    monkeypatch, tmp_path, text, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "newer.toml").write_text(text)
    monkeypatch.setenv(VARIABLE, "newer.toml")
    with pytest.raises(ValueError, match=VARIABLE) as refused:
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
    said = str(refused.value).removeprefix(f"{VARIABLE}: newer.toml").lstrip(":, ")
    assert said == message


def test_a_file_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="argument prices takes the path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9", prices="gone.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    monkeypatch.setenv(VARIABLE, "binary.toml")
    with pytest.raises(ValueError, match=f"{VARIABLE} takes the path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")


NAMES = sorted({*call(), "gen_ai.system"})
VALUES = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(),
    st.none(),
    st.binary(),
    st.lists(st.text()).map(tuple),
    st.sampled_from(["deepseek", "deepseek-flash", "api.deepseek.com"]),
)


@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.none() | st.integers(0, 2**63),
)
def test_nothing_in_a_span_makes_it_raise(attributes, start):
    said = ours().cost(call() | attributes, start)
    assert said is None or json.loads(said).keys() in (
        set(),
        {"input_cost", "output_cost", "total_cost"},
    )


# --- what MLflow makes of it


class Mlflow:
    """What a trace has cost, in MLflow's own words."""

    def __init__(self, uri):
        from mlflow import MlflowClient

        self._uri = uri
        self._client = MlflowClient(uri)

    def export(self, *batches):
        name = f"prices {uuid.uuid4()}"
        exporter = MlflowSpanExporter(tracking_uri=self._uri, experiment_name=name)
        for batch in batches:
            assert exporter.export(batch) is SpanExportResult.SUCCESS
        exporter.shutdown()

    def trace(self, span):
        return self._client.get_trace(f"tr-{span.context.trace_id:032x}")


@pytest.fixture(params=["server", "store"])
def mlflow(request, monkeypatch, tmp_path_factory):
    if request.param == "server":
        return Mlflow(request.getfixturevalue("mlflow_server"))
    folder = tmp_path_factory.mktemp("store")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_MODEL_CATALOG_URI", "")
    return Mlflow(f"sqlite:///{folder}/mlflow.db")


def work(spans, *calls):
    """A span over model calls, each with the moment of its start."""
    begin = min(at(moment) for _, moment in calls)
    root = spans.tracer.start_span("work", start_time=begin)
    for attributes, moment in calls:
        spans.tracer.start_span(
            "chat",
            context=set_span_in_context(root),
            attributes=attributes,
            start_time=at(moment),
        ).end(at(moment) + 1_000)
    root.end(max(at(moment) for _, moment in calls) + 2_000)
    return spans.take()


def costs(trace):
    return {
        (span.attributes["gen_ai.response.model"], span.start_time_ns): span.llm_cost
        for span in trace.data.spans
        if span.parent_id
    }


E2E = [
    pytest.mark.e2e,
    # MLflow's own, while it opens a store in this process.
    pytest.mark.filterwarnings("ignore:The ..noload.. loader:DeprecationWarning"),
]


def e2e(test):
    for mark in E2E:
        test = mark(test)
    return test


@e2e
def test_the_cost_of_a_trace_is_the_sum_of_ours_across_the_edge_of_the_peak(
    mlflow, spans
):
    calls = [
        (call(), OFF_PEAK),
        (call(), PEAK),
        (call("deepseek-v4-pro"), PEAK),
        (call("deepseek-v4-flash"), "2026-06-01T02:00:00+00:00"),
    ]
    ended = work(spans, *calls)
    mlflow.export(ended)
    trace = mlflow.trace(ended[-1])
    ours = [cost(attributes, moment) for attributes, moment in calls]
    assert costs(trace) == {
        (attributes["gen_ai.response.model"], at(moment)): cost
        for (attributes, moment), cost in zip(calls, ours, strict=True)
    }
    assert trace.info.cost == {
        kind: pytest.approx(sum(cost[kind] for cost in ours), rel=1e-12)
        for kind in ("input_cost", "output_cost", "total_cost")
    }
    assert [cost["total_cost"] for cost in ours] == [0.1218, 0.2436, 0.9504, 0.08568]


@e2e
def test_what_comes_again_or_in_parts_is_not_counted_twice(mlflow, spans):
    ended = work(spans, (call(), OFF_PEAK), (call(), PEAK))
    first, second, root = ended
    mlflow.export([second], [first, second], [root], [root, first])
    total = mlflow.trace(root).info.cost["total_cost"]
    assert total == pytest.approx(0.1218 + 0.2436, rel=1e-12)


@e2e
def test_an_agent_that_counts_its_calls_is_not_added_to_them(mlflow, spans):
    calls = {"gen_ai.usage.input_tokens": 2_000_000} | {
        "gen_ai.usage.cache_read.input_tokens": 1_200_000,
        "gen_ai.usage.output_tokens": 200_000,
        "gen_ai.operation.name": "invoke_agent",
    }
    agent = spans.tracer.start_span(
        "agent", attributes=call() | calls, start_time=at(PEAK)
    )
    for _ in range(2):
        spans.tracer.start_span(
            "chat",
            context=set_span_in_context(agent),
            attributes=call(),
            start_time=at(PEAK),
        ).end(at(PEAK) + 1)
    agent.end(at(PEAK) + 2)
    mlflow.export(spans.take())
    assert mlflow.trace(agent).info.cost["total_cost"] == 2 * 0.2436


@e2e
@pytest.mark.parametrize(
    "place",
    [
        {"gen_ai.provider.name": "example"},
        {"server.address": "example.com"},
        {"gen_ai.response.model": "deepseek-chat"},
    ],
    ids=str,
)
def test_mlflow_does_not_guess_where_we_have_no_price(mlflow, spans, place):
    """Its own catalogue has all three models, and would take DeepSeek's price."""
    ended = work(spans, (call() | place, PEAK), (call(), OFF_PEAK))
    mlflow.export(ended)
    trace = mlflow.trace(ended[-1])
    unpriced, priced = sorted(costs(trace).values(), key=len)
    assert (unpriced, priced["total_cost"]) == ({}, 0.1218)
    assert trace.info.cost["total_cost"] == 0.1218


@e2e
def test_other_models_have_the_price_of_mlflow(mlflow, spans):
    other = call("gpt-4o-mini") | {
        "gen_ai.provider.name": "openai",
        "server.address": "api.openai.com",
    }
    ended = work(spans, (other, PEAK))
    mlflow.export(ended)
    assert mlflow.trace(ended[-1]).info.cost["total_cost"] > 0
