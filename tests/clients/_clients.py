"""The third-party clients and their requirements."""

from __future__ import annotations

from typing import Final, NamedTuple


class Client(NamedTuple):
    """A client; `name` is its package."""

    name: str
    requirements: tuple[str, ...]
    note: str = ""

    @property
    def program(self) -> str:
        """The module in `programs` that calls the client."""
        return self.name.replace("-", "_")


_BETA: Final = "sends strict tools: needs the base URL with /beta"

CLIENTS: Final = {
    client.name: client
    for client in (
        Client("anthropic", ("anthropic", "openai"), "the SDK itself"),
        Client("langchain-anthropic", ("langchain-anthropic", "langchain", "openai")),
        Client("langchain-deepseek", ("langchain-deepseek", "langchain")),
        Client("langchain-openai", ("langchain-openai", "langchain")),
        Client("pydantic-ai-slim", ("pydantic-ai-slim[openai]",), _BETA),
        Client("openai-agents", ("openai-agents",), _BETA),
        Client(
            "instructor", ("instructor",), "forces a tool: works only without thinking"
        ),
        Client("llama-index-llms-deepseek", ("llama-index-llms-deepseek",)),
        Client("crewai", ("crewai[litellm]",), f"also by litellm; {_BETA}"),
        Client("strands-agents", ("strands-agents[openai]>=1",), "always streams"),
        Client(
            "smolagents",
            ("smolagents[openai,litellm]",),
            "also by litellm; forces a tool: works only without thinking",
        ),
        Client("agno", ("agno", "openai")),
        Client("autogen-ext", ("autogen-ext[openai]", "autogen-agentchat")),
        Client("haystack-ai", ("haystack-ai",)),
        Client("semantic-kernel", ("semantic-kernel",)),
        Client("litellm", ("litellm",), "Router, text completion and Responses, too"),
        Client("dspy", ("dspy", "litellm"), "its own engine, and litellm"),
        Client("langchain-litellm", ("langchain-litellm",)),
        Client("httpx", ("httpx", "httpx2"), "without an SDK; `httpx2`, too"),
        Client("requests", ("requests",), "without an SDK"),
        Client("aiohttp", ("aiohttp",), "without an SDK"),
        Client("google-adk", ("google-adk", "litellm"), "by litellm"),
    )
}
