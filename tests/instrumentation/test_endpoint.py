from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
import pytest

from opentelemetry.instrumentation.deepseek._endpoint import DeepSeekHosts, Endpoint
from opentelemetry.instrumentation.deepseek._metrics import metrics_from_environment
from opentelemetry.instrumentation.deepseek._signals import Signals
from opentelemetry.instrumentation.deepseek._telemetry import InvocationTelemetry

from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def endpoint_of(base_url: str, *hosts: str) -> Endpoint | None:
    client = openai.OpenAI(base_url=base_url, api_key="none")
    return DeepSeekHosts(hosts).endpoint_of(client)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.deepseek.com",
        "https://api.deepseek.com/",
        "https://api.deepseek.com/v1",
        "https://api.deepseek.com/beta",
        "https://API.DeepSeek.com:443/v1",
    ],
)
def test_deepseek_host_has_an_endpoint(base_url: str) -> None:
    assert endpoint_of(base_url) == Endpoint("api.deepseek.com", 443)


def test_subdomain_of_deepseek_has_an_endpoint() -> None:
    assert endpoint_of("https://eu.api.deepseek.com") == Endpoint(
        "eu.api.deepseek.com", 443
    )


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.openai.com/v1",
        "https://openrouter.ai/api/v1?host=api.deepseek.com",
        "https://api.deepseek.com.example.com",
        "https://notdeepseek.com",
        "http://127.0.0.1:8080/api.deepseek.com",
    ],
)
def test_other_hosts_have_no_endpoint(base_url: str) -> None:
    assert endpoint_of(base_url) is None


@pytest.mark.parametrize(
    ("base_url", "host", "endpoint"),
    [
        ("http://gateway:80", "gateway", Endpoint("gateway", 80, "gateway")),
        ("http://gateway:8080/ds", "gateway", Endpoint("gateway", 8080, "gateway")),
        ("http://gw:8080/ds", " GW:8080 ", Endpoint("gw", 8080, "gateway")),
        ("http://gateway:8081/ds", "gateway:8080", None),
        ("https://gateway/ds", "gateway:443", Endpoint("gateway", 443, "gateway")),
        ("http://[::1]:8080", "[::1]:8080", Endpoint("::1", 8080, "gateway")),
        ("http://anything:1", "*", Endpoint("anything", 1, "unknown")),
        ("https://api.deepseek.com", "*", Endpoint("api.deepseek.com", 443)),
        (
            "https://api.deepseek.com",
            "api.deepseek.com",
            Endpoint("api.deepseek.com", 443),
        ),
        ("http://gateway", "", None),
    ],
)
def test_configured_host_has_an_endpoint(
    base_url: str, host: str, endpoint: Endpoint | None
) -> None:
    assert endpoint_of(base_url, host) == endpoint


@pytest.mark.parametrize(
    ("base_url", "provider"),
    [
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://name.openai.azure.com/openai", "azure.ai.openai"),
        ("http://localhost:8000/v1", "vllm"),
        ("http://localhost:30000/v1", "sglang"),
    ],
)
def test_host_of_another_provider_has_its_name(base_url: str, provider: str) -> None:
    endpoint = endpoint_of(
        base_url,
        "openrouter.ai=openrouter",
        "name.openai.azure.com = Azure.AI.OpenAI",
        "localhost=sglang",
        "localhost:8000=vllm",
    )
    assert endpoint is not None
    assert (endpoint.provider, endpoint.server_type) == (provider, None)
    assert endpoint.serves("a name of a deployment")


@pytest.mark.parametrize("hosts", [("*", "gateway:8080"), ("gateway:8080", "*")])
def test_host_that_is_also_named_is_a_gateway(hosts: tuple[str, ...]) -> None:
    named, other = "http://gateway:8080/v1", "http://gateway:8081/v1"
    assert endpoint_of(named, *hosts) == Endpoint("gateway", 8080, "gateway")
    assert endpoint_of(other, *hosts) == Endpoint("gateway", 8081, "unknown")


@pytest.mark.parametrize(
    ("model", "is_deepseek"),
    [
        ("deepseek-v4-pro", True),
        ("deepseek/deepseek-v4-pro", True),
        ("deepseek-ai/DeepSeek-V3.1", True),
        ("DEEPSEEK-R1-Distill-Llama-70B", True),
        ("gpt-4o", False),
        ("deep-seek", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_model_decides_at_a_server_of_unknown_type(
    model: object, is_deepseek: bool
) -> None:
    assert Endpoint("anything", 1, "unknown").serves(model) is is_deepseek
    assert Endpoint("gateway", 1, "gateway").serves(model)
    assert Endpoint("api.deepseek.com", 443).serves(model)


@pytest.mark.parametrize(
    "entry",
    [
        "https://gateway",
        "gateway/ds",
        "gateway:port",
        "user@gateway",
        "a b",
        ":80",
        "gateway=",
        "=openrouter",
        "gateway=a=b",
        "*=openrouter",
    ],
)
def test_invalid_host_raises_error_that_names_the_variable(entry: str) -> None:
    with pytest.raises(
        ValueError, match=r"^OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS .* must list hosts"
    ) as raised:
        DeepSeekHosts([entry])
    assert repr(entry) in str(raised.value)


def test_sdk_resources_hold_their_client_as_private_attribute() -> None:
    # The only private name of the SDK that this package reads.
    client = openai.AsyncOpenAI(base_url="https://api.deepseek.com", api_key="none")
    copy = client.with_options(max_retries=5, base_url="http://elsewhere")
    assert copy.chat.completions._client is copy
    assert DeepSeekHosts().endpoint_of(client)
    assert DeepSeekHosts().endpoint_of(copy) is None


@pytest.mark.parametrize(
    ("model", "is_logged"),
    [
        ("deepseek-flash", True),
        ("deepseek-ai/DeepSeek-V3.1", True),
        ("gpt-4o", False),
        (None, False),
        (5, False),
    ],
)
def test_host_of_a_deepseek_model_that_is_not_configured_is_logged_once(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
    model: Any,
    is_logged: bool,
) -> None:
    instrument(hosts=[])
    deepseek.answer_next(sample("chat_plain.json"), times=2)
    for _ in range(2):
        call(model=model)
    address = urlsplit(deepseek.base_url).netloc
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING" and record.name.startswith("opentelemetry")
    ]
    message = (
        f"Calls of DeepSeek's models at {address} are not recorded. To record them, "
        "add this host to OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS."
    )
    assert lines == [message] * is_logged
    assert telemetry.spans == []


def test_call_at_another_provider_has_its_name_and_no_server_type(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    address = urlsplit(deepseek.base_url).netloc
    instrument(hosts=[f"{address}=openrouter"])
    call()
    attributes = telemetry.span.attributes or {}
    assert attributes["gen_ai.provider.name"] == "openrouter"
    assert "deepseek.server.type" not in attributes
    points = [point for points in telemetry.metrics.values() for point in points]
    assert points
    assert {point.attributes["gen_ai.provider.name"] for point in points} == {
        "openrouter"
    }


@pytest.mark.parametrize(
    ("server_type", "attribute"),
    [(None, {}), ("gateway", {"deepseek.server.type": "gateway"})],
)
def test_deepseek_itself_has_no_server_type(
    telemetry: Telemetry, server_type: Any, attribute: dict[str, str]
) -> None:
    signals = Signals(metrics_from_environment(), telemetry.tracer_provider)
    endpoint = Endpoint("api.deepseek.com", 443, server_type)
    InvocationTelemetry(signals, "chat", endpoint, "deepseek-flash").end()
    assert telemetry.span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-flash",
        "server.address": "api.deepseek.com",
        "server.port": 443,
        **attribute,
    }
