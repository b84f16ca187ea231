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


HOSTS_VARIABLE = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"
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
def test_hosts_of_the_instrumentation_have_prices(monkeypatch, hosts, is_priced):
    monkeypatch.setenv(HOSTS_VARIABLE, hosts)
    assert bool(cost(call() | GATEWAY)) is is_priced
    assert total_cost(call()) == 0.1218


@pytest.mark.parametrize("host", ["*", "*.example.com", "gateway.example.com:8443"])
def test_custom_file_adds_hosts(load_custom_prices, host):
    prices = load_custom_prices(f'hosts = ["{host}"]')
    assert total_cost(call() | GATEWAY, prices=prices) == 0.1218
    assert total_cost(call(), prices=prices) == 0.1218


def test_models_of_other_providers_get_no_cost_attribute():
    assert cost(call("gpt-5")) is None
    assert cost({"http.request.method": "GET"}) is None
    assert cost({}) is None


@pytest.mark.parametrize("existing_cost", ["{}", '{"total_cost": 1.0}'])
def test_existing_cost_is_kept(spans, existing_cost):
    span = spans.make("chat", call() | {"mlflow.llm.cost": existing_cost})
    translated = SpanTranslator(bundled_prices()).translate(span)
    assert translated.attributes["mlflow.llm.cost"] == existing_cost
