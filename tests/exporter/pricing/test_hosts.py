"""Only what DeepSeek serves has its prices, and what the user says is like it."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._span_translator import SpanTranslator

from .calls import call, cost, ours, total

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


HOSTS = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"
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
    assert SpanTranslator(ours()).said(span).attributes["mlflow.llm.cost"] == known
