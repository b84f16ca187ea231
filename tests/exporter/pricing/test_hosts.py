"""Only calls to DeepSeek and to configured hosts have DeepSeek's prices."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._span_translator import SpanTranslator

from .calls import bundled_prices, call, cost, total_cost

OTHER_SERVERS = [
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


@pytest.mark.parametrize("server", OTHER_SERVERS, ids=str)
def test_model_of_another_server_never_gets_prices_of_deepseek(server):
    assert cost(call() | server) == {}


@pytest.mark.parametrize(
    "server",
    [
        {"server.address": None},
        {"server.address": "API.DeepSeek.com"},
        {"gen_ai.provider.name": None, "gen_ai.system": "deepseek"},
        # Instrumentations of the openai package use this name for any server.
        {"gen_ai.provider.name": "openai"},
    ],
    ids=str,
)
def test_call_to_deepseek_has_its_price(server):
    assert total_cost(call() | server) == 0.1218


GATEWAY = {"server.address": "gateway.example.com", "server.port": 8443}


@pytest.mark.parametrize(
    ("attributes", "is_priced"),
    [
        ({"deepseek.server.type": "gateway"}, True),
        ({"deepseek.server.type": "gateway", "gen_ai.provider.name": "openai"}, True),
        ({"deepseek.server.type": "gateway", "gen_ai.provider.name": "x"}, False),
        ({"deepseek.server.type": "unknown"}, False),
        ({"deepseek.server.type": ["gateway"]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_gateways_of_the_instrumentation_charge_prices_of_deepseek(
    attributes, is_priced
):
    assert bool(cost(call() | GATEWAY | attributes)) is is_priced


def test_hosts_variable_of_the_instrumentation_has_no_effect(monkeypatch):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "gateway.example.com")
    assert cost(call() | GATEWAY) == {}
    assert total_cost(call()) == 0.1218


@pytest.mark.parametrize("host", ["*", "*.example.com", "gateway.example.com:8443"])
def test_custom_file_adds_hosts(load_custom_prices, host):
    prices = load_custom_prices(f'hosts = ["{host}"]')
    assert total_cost(call() | GATEWAY, prices=prices) == 0.1218
    unknown = {"deepseek.server.type": "unknown"}
    assert total_cost(call() | GATEWAY | unknown, prices=prices) == 0.1218
    assert total_cost(call(), prices=prices) == 0.1218


@pytest.mark.parametrize("model", ["gpt-5", "deepseek/deepseek-v4-pro"])
def test_cost_of_a_model_that_is_not_in_the_list_is_not_known(model):
    assert cost(call(model)) == {}
    assert cost(call(model) | GATEWAY) == {}


def test_mlflow_computes_the_cost_of_models_of_other_providers():
    assert cost(call("gpt-5") | {"gen_ai.provider.name": "openai"}) is None
    assert cost(call("gpt-5") | {"gen_ai.provider.name": "openrouter"}) is None
    assert cost({"http.request.method": "GET"}) is None
    assert cost({}) is None


@pytest.mark.parametrize("existing_cost", ["{}", '{"total_cost": 1.0}'])
def test_existing_cost_is_kept(spans, existing_cost):
    span = spans.make("chat", call() | {"mlflow.llm.cost": existing_cost})
    translated = SpanTranslator(bundled_prices()).translate(span)
    assert translated.attributes["mlflow.llm.cost"] == existing_cost
