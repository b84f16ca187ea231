from __future__ import annotations

import openai
import pytest

from opentelemetry.instrumentation.deepseek._endpoint import DeepSeekHosts, Endpoint


def endpoint_of(base_url: str, *hosts: str) -> Endpoint | None:
    client = openai.OpenAI(base_url=base_url, api_key="none")
    return DeepSeekHosts(hosts).endpoint_of(client.chat.completions)


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
        ("http://gateway:80", "gateway", Endpoint("gateway", 80)),
        ("http://gateway:8080/ds", "gateway", Endpoint("gateway", 8080)),
        ("http://gateway:8080/ds", " Gateway:8080 ", Endpoint("gateway", 8080)),
        ("http://gateway:8081/ds", "gateway:8080", None),
        ("https://gateway/ds", "gateway:443", Endpoint("gateway", 443)),
        ("http://[::1]:8080", "[::1]:8080", Endpoint("::1", 8080)),
        ("http://anything:1", "*", Endpoint("anything", 1)),
        ("http://gateway", "", None),
    ],
)
def test_configured_host_has_an_endpoint(
    base_url: str, host: str, endpoint: Endpoint | None
) -> None:
    assert endpoint_of(base_url, host) == endpoint


@pytest.mark.parametrize(
    "entry",
    ["https://gateway", "gateway/ds", "gateway:port", "user@gateway", "a b", ":80"],
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
    assert DeepSeekHosts().endpoint_of(client.chat.completions)
    assert DeepSeekHosts().endpoint_of(copy.chat.completions) is None
