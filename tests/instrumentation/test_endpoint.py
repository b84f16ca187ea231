from __future__ import annotations

import openai
import pytest

from opentelemetry.instrumentation.deepseek._endpoint import DeepSeekHosts, Endpoint


def endpoint_of(base_url: str, *named: str) -> Endpoint | None:
    client = openai.OpenAI(base_url=base_url, api_key="none")
    return DeepSeekHosts(named).endpoint_of(client.chat.completions)


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
def test_deepseek_is_known_by_its_host(base_url: str) -> None:
    assert endpoint_of(base_url) == Endpoint("api.deepseek.com", 443)


def test_a_region_of_deepseek_is_deepseek() -> None:
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
def test_everything_else_is_not(base_url: str) -> None:
    assert endpoint_of(base_url) is None


@pytest.mark.parametrize(
    ("base_url", "named", "server"),
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
def test_a_host_may_be_named(
    base_url: str, named: str, server: Endpoint | None
) -> None:
    assert endpoint_of(base_url, named) == server


@pytest.mark.parametrize(
    "entry",
    ["https://gateway", "gateway/ds", "gateway:port", "user@gateway", "a b", ":80"],
)
def test_what_is_no_host_is_refused_by_the_name_of_its_variable(entry: str) -> None:
    with pytest.raises(
        ValueError, match=r"^OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS .* must list hosts"
    ) as refused:
        DeepSeekHosts([entry])
    assert repr(entry) in str(refused.value)


def test_the_client_is_found_where_this_sdk_keeps_it() -> None:
    # The one private name of the SDK that we read.
    client = openai.AsyncOpenAI(base_url="https://api.deepseek.com", api_key="none")
    copy = client.with_options(max_retries=5, base_url="http://elsewhere")
    assert copy.chat.completions._client is copy
    assert DeepSeekHosts().endpoint_of(client.chat.completions)
    assert DeepSeekHosts().endpoint_of(copy.chat.completions) is None
