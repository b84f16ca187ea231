"""Spans of LangChain, the Agents SDK and embeddings, with and without the mapping."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from .two_experiments import load_spans, type_inputs_outputs

pytestmark = pytest.mark.e2e


def test_langchain_graph(experiments):
    spans = load_spans("langchain.json")
    experiments.export(spans)
    results = [
        (span.name, *map(type_inputs_outputs, experiments.read(span))) for span in spans
    ]
    assert [
        (name, mapped[0], unmapped[0]) for name, mapped, unmapped in results
    ] == snapshot(
        [
            ("retrieval", "RETRIEVER", None),
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
            ("execute_tool get_weather", "TOOL", "TOOL"),
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
            ("invoke_agent weather agent", "AGENT", "AGENT"),
            ("invoke_workflow rag", "WORKFLOW", None),
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
            ("invoke_workflow RunnableSequence", "WORKFLOW", None),
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
        ]
    )
    by_name = {name: (mapped[1:], unmapped[1:]) for name, mapped, unmapped in results}
    assert {
        name: by_name[name]
        for name in ("retrieval", "execute_tool get_weather", "invoke_workflow rag")
    } == snapshot(
        {
            "retrieval": (
                (
                    {"query": "Where is Paris?"},
                    [
                        {
                            "page_content": "",
                            "metadata": {"id": "d1", "score": 0.5},
                            "id": "d1",
                        },
                        {
                            "page_content": "",
                            "metadata": {"id": "931836bd-a341-478f-a892-46be38784eb6"},
                            "id": "931836bd-a341-478f-a892-46be38784eb6",
                        },
                    ],
                ),
                (None, None),
            ),
            "execute_tool get_weather": (
                ({"city": "Paris"}, "18 degrees in Paris"),
                ({"city": "Paris"}, "18 degrees in Paris"),
            ),
            "invoke_workflow rag": (
                (
                    {
                        "messages": [
                            {"role": "user", "content": "How is the weather in Paris?"}
                        ]
                    },
                    {
                        "choices": [
                            {
                                "index": 0,
                                "message": {
                                    "role": "assistant",
                                    "content": "In Paris it is 18 degrees in Paris.",
                                    "name": "weather agent",
                                },
                                "finish_reason": "",
                            }
                        ]
                    },
                ),
                (
                    [
                        {
                            "role": "user",
                            "parts": [
                                {
                                    "content": "How is the weather in Paris?",
                                    "type": "text",
                                }
                            ],
                            "name": None,
                        }
                    ],
                    [
                        {
                            "role": "assistant",
                            "parts": [
                                {
                                    "content": "In Paris it is 18 degrees in Paris.",
                                    "type": "text",
                                }
                            ],
                            "finish_reason": "",
                            "name": "weather agent",
                        }
                    ],
                ),
            ),
        }
    )


def test_agents_sdk_run(experiments):
    spans = load_spans("openai_agents.json")
    experiments.export(spans)
    results = [
        (span.name, *map(type_inputs_outputs, experiments.read(span))) for span in spans
    ]
    assert [
        (name, mapped[0], unmapped[0]) for name, mapped, unmapped in results
    ] == snapshot(
        [
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
            ("execute_tool get_weather", "TOOL", "TOOL"),
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
            ("invoke_agent weather", "AGENT", "AGENT"),
            ("invoke_workflow Agent workflow", "WORKFLOW", None),
            ("chat deepseek-flash", "CHAT_MODEL", "CHAT_MODEL"),
            ("embeddings e", "EMBEDDING", "EMBEDDING"),
        ]
    )
    root = next(span for span in spans if span.name == "invoke_workflow Agent workflow")
    info = experiments.client.get_trace(f"tr-{root.context.trace_id:032x}").info
    assert (info.request_preview, info.response_preview) == snapshot(
        ("How is the weather in Paris?", "In Paris it is 18 degrees in Paris.")
    )


def test_embeddings_show_their_inputs(experiments):
    spans = load_spans("embeddings.json")
    experiments.export(spans)
    assert [
        type_inputs_outputs(stored)
        for span in spans
        for stored in experiments.read(span)
    ] == snapshot(
        [
            (
                "EMBEDDING",
                {
                    "model": "text-embedding-3-small",
                    "messages": [{"role": "user", "content": "Where is Paris?"}],
                },
                None,
            ),
            (
                "EMBEDDING",
                [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Where is Paris?"}],
                    }
                ],
                None,
            ),
            (
                "EMBEDDING",
                {
                    "model": "text-embedding-3-small",
                    "messages": [
                        {"role": "user", "content": "Where is Paris?"},
                        {"role": "user", "content": "Where is Rome?"},
                    ],
                },
                None,
            ),
            (
                "EMBEDDING",
                [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Where is Paris?"}],
                    },
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Where is Rome?"}],
                    },
                ],
                None,
            ),
        ]
    )
    traces = experiments.search(experiments.mapped, "span.type = 'EMBEDDING'")
    assert sorted(trace.info.request_preview for trace in traces) == snapshot(
        ["Where is Paris?", "Where is Rome?"]
    )
