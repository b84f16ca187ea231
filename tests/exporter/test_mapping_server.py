"""Each row of the mapping beside what MLflow makes of the same span without it.

The spans in genai_spans are what others wrote in a run against the simulator:
OpenTelemetry's instrumentations of LangChain and of the Agents SDK, Strands Agents,
Azure's SDK, and, for embeddings, OpenLLMetry's of the openai SDK.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from mlflow import MlflowClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter

pytestmark = pytest.mark.e2e
SPANS = Path(__file__).with_name("genai_spans")


class Sides:
    """MLflow with an experiment for the mapped spans and one for the plain."""

    def __init__(self, uri):
        self.client = MlflowClient(uri)
        self.mapped = self.client.create_experiment(f"mapped {uuid.uuid4()}")
        self.plain = self.client.create_experiment(f"plain {uuid.uuid4()}")
        self._exporter = MlflowSpanExporter(tracking_uri=uri, experiment_id=self.mapped)
        self._stock = OTLPSpanExporter(
            endpoint=f"{uri}/v1/traces",
            headers={"x-mlflow-experiment-id": self.plain},
        )

    def export(self, spans):
        self._exporter.export(spans)
        # Of one id MLflow has one trace.
        self._stock.export([copied(span, self.trace_of(span) ^ 1) for span in spans])
        self._exporter.shutdown()
        self._stock.shutdown()

    @staticmethod
    def trace_of(span):
        return span.context.trace_id

    def both(self, span):
        """The span as MLflow has it: mapped, and plain."""
        return tuple(
            next(
                one
                for one in self.client.get_trace(f"tr-{trace:032x}").data.spans
                if one.span_id == f"{span.context.span_id:016x}"
            )
            for trace in (self.trace_of(span), self.trace_of(span) ^ 1)
        )

    def found(self, experiment, condition):
        return self.client.search_traces(
            locations=[experiment], filter_string=condition
        )


def copied(span, trace):
    def in_trace(context):
        return context and SpanContext(trace, context.span_id, is_remote=False)

    return ReadableSpan(
        name=span.name,
        context=in_trace(span.context),
        parent=in_trace(span.parent),
        resource=span.resource,
        attributes=span.attributes,
        events=span.events,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
    )


@pytest.fixture
def sides(mlflow_server):
    return Sides(mlflow_server)


def recorded(name):
    """In traces of their own, however often they are sent."""
    traces = {}
    start = 1_760_000_000_000_000_000
    spans = []
    for at, one in enumerate(json.loads((SPANS / name).read_text("utf-8"))["spans"]):
        trace = traces.setdefault(one["trace"], uuid.uuid4().int)
        error = one["error"]
        spans.append(
            ReadableSpan(
                name=one["name"],
                context=SpanContext(trace, int(one["id"], 16), is_remote=False),
                parent=one["parent"]
                and SpanContext(trace, int(one["parent"], 16), is_remote=False),
                resource=Resource({}),
                attributes=one["attributes"],
                events=[
                    Event(event["name"], event["attributes"], start + at)
                    for event in one.get("events", ())
                ],
                status=Status(StatusCode.ERROR, error) if error else Status(),
                start_time=start + at,
                end_time=start + 1_000 + at,
            )
        )
    return spans


def made(attributes, **more):
    context = SpanContext(uuid.uuid4().int, 7, is_remote=False)
    given = {"start_time": 1_760_000_000_000_000_000, "end_time": 1_760_000_001 * 10**9}
    return ReadableSpan(
        "a", context, resource=Resource({}), attributes=attributes, **given, **more
    )


def looks(span):
    return span.span_type, span.inputs, span.outputs


def test_a_graph_of_langchain(sides):
    spans = recorded("langchain.json")
    sides.export(spans)
    shown = [(span.name, *map(looks, sides.both(span))) for span in spans]
    assert [(name, mapped[0], plain[0]) for name, mapped, plain in shown] == snapshot(
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
    by_name = {name: (mapped[1:], plain[1:]) for name, mapped, plain in shown}
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


def test_a_run_of_the_agents_sdk(sides):
    spans = recorded("openai_agents.json")
    sides.export(spans)
    shown = [(span.name, *map(looks, sides.both(span))) for span in spans]
    assert [(name, mapped[0], plain[0]) for name, mapped, plain in shown] == snapshot(
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
    info = sides.client.get_trace(f"tr-{root.context.trace_id:032x}").info
    assert (info.request_preview, info.response_preview) == snapshot(
        ("How is the weather in Paris?", "In Paris it is 18 degrees in Paris.")
    )


def test_an_agent_of_strands_has_its_messages_on_events(sides):
    spans = recorded("strands.json")
    sides.export(spans)
    last = {span.name: [looks(one) for one in sides.both(span)] for span in spans}
    del last["execute_event_loop_cycle"]
    assert last == snapshot(
        {
            "chat": [
                (
                    "CHAT_MODEL",
                    {
                        "model": "deepseek-flash",
                        "messages": [
                            {"role": "system", "content": "Be kind."},
                            {"role": "user", "content": "How is the weather in Paris?"},
                            {
                                "role": "assistant",
                                "content": "Let me look that up.",
                                "tool_calls": [
                                    {
                                        "id": "call_00_p8GF59wd2RNQyDuK1kKFEBT2",
                                        "type": "function",
                                        "function": {
                                            "name": "get_weather",
                                            "arguments": '{"city": "Paris"}',
                                        },
                                    }
                                ],
                            },
                            {
                                "role": "tool",
                                "tool_call_id": "call_00_p8GF59wd2RNQyDuK1kKFEBT2",
                                "content": "18 degrees in Paris",
                            },
                        ],
                    },
                    {
                        "choices": [
                            {
                                "index": 0,
                                "message": {
                                    "role": "assistant",
                                    "content": "In Paris it is 18 degrees in Paris.",
                                },
                                "finish_reason": "end_turn",
                            }
                        ]
                    },
                ),
                (
                    "CHAT_MODEL",
                    [
                        {"role": "system", "content": [{"text": "Be kind."}]},
                        {
                            "role": "user",
                            "content": [{"text": "How is the weather in Paris?"}],
                        },
                        {
                            "role": "assistant",
                            "content": [
                                {"text": "Let me look that up."},
                                {
                                    "toolUse": {
                                        "toolUseId": "call_00_p8GF59wd2RNQyDuK1kKFEBT2",
                                        "name": "get_weather",
                                        "input": {"city": "Paris"},
                                    }
                                },
                            ],
                        },
                    ],
                    None,
                ),
            ],
            "execute_tool get_weather": [
                ("TOOL", {"city": "Paris"}, "18 degrees in Paris"),
                ("TOOL", None, None),
            ],
            "invoke_agent weather agent": [
                (
                    "AGENT",
                    {
                        "model": "deepseek-flash",
                        "messages": [
                            {"role": "system", "content": "Be kind."},
                            {"role": "user", "content": "How is the weather in Paris?"},
                        ],
                    },
                    {
                        "choices": [
                            {
                                "index": 0,
                                "message": {
                                    "role": "assistant",
                                    "content": "In Paris it is 18 degrees in Paris.\n",
                                },
                                "finish_reason": "end_turn",
                            }
                        ]
                    },
                ),
                (
                    "AGENT",
                    [
                        {"role": "system", "content": [{"text": "Be kind."}]},
                        {
                            "role": "user",
                            "content": [{"text": "How is the weather in Paris?"}],
                        },
                    ],
                    None,
                ),
            ],
        }
    )


def test_an_agent_of_strands_as_of_today_does_not_look_otherwise(sides):
    """With gen_ai_latest_experimental, on events of another name."""
    spans = recorded("strands_details.json")
    sides.export(spans)
    last = {span.name: [looks(one) for one in sides.both(span)] for span in spans}
    assert last["invoke_agent weather agent"] == snapshot(
        [
            (
                "AGENT",
                {
                    "model": "deepseek-flash",
                    "messages": [
                        {"role": "system", "content": "Be kind."},
                        {"role": "user", "content": "How is the weather in Paris?"},
                    ],
                },
                {
                    "choices": [
                        {
                            "index": 0,
                            "message": {
                                "role": "assistant",
                                "content": "In Paris it is 18 degrees in Paris.\n",
                            },
                            "finish_reason": "end_turn",
                        }
                    ]
                },
            ),
            ("AGENT", None, None),
        ]
    )
    assert [side[0] for _, *side in last["chat"]] == snapshot(
        [
            {
                "model": "deepseek-flash",
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": "How is the weather in Paris?"},
                    {
                        "role": "assistant",
                        "content": "Let me look that up.",
                        "tool_calls": [
                            {
                                "id": "call_00_DZ445TmMFLuXisiB9h5lViHU",
                                "type": "function",
                                "function": {
                                    "name": "get_weather",
                                    "arguments": '{"city": "Paris"}',
                                },
                            }
                        ],
                    },
                    {
                        "role": "tool",
                        "tool_call_id": "call_00_DZ445TmMFLuXisiB9h5lViHU",
                        "content": '[{"text": "18 degrees in Paris"}]',
                    },
                ],
            },
            None,
        ]
    )


def test_a_call_of_azures_sdk_has_its_messages_on_events(sides):
    spans = recorded("azure.json")
    sides.export(spans)
    first, second = ([looks(one) for one in sides.both(span)] for span in spans)
    assert second == snapshot(
        [
            (
                "CHAT_MODEL",
                {
                    "model": "deepseek-flash",
                    "messages": [
                        {"role": "system", "content": "Be kind."},
                        {"role": "user", "content": "How is the weather in Paris?"},
                        {
                            "role": "assistant",
                            "content": "",
                            "tool_calls": [
                                {
                                    "id": "call_00_UiXKs20GW6ivzbjmeRZ9MdFl",
                                    "type": "function",
                                    "function": {
                                        "name": "get_weather",
                                        "arguments": '{"city": "Paris"}',
                                    },
                                }
                            ],
                        },
                        {
                            "role": "tool",
                            "tool_call_id": "call_00_UiXKs20GW6ivzbjmeRZ9MdFl",
                            "content": "18 degrees in Paris",
                        },
                    ],
                },
                {
                    "id": "2590d702-17a2-4352-9165-ae604ef7ce8c",
                    "model": "deepseek-flash",
                    "choices": [
                        {
                            "index": 0,
                            "message": {
                                "role": "assistant",
                                "content": "In Paris it is 18 degrees in Paris.",
                            },
                            "finish_reason": "stop",
                        }
                    ],
                },
            ),
            ("CHAT_MODEL", None, None),
        ]
    )
    assert first[0][2] == snapshot(
        {
            "id": "7794dd7c-df3c-4bb4-85e2-963aa51a50f6",
            "model": "deepseek-flash",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Let me look that up.",
                        "tool_calls": [
                            {
                                "id": "call_00_UiXKs20GW6ivzbjmeRZ9MdFl",
                                "type": "function",
                                "function": {
                                    "name": "get_weather",
                                    "arguments": '{"city": "Paris"}',
                                },
                            }
                        ],
                    },
                    "finish_reason": "tool_calls",
                }
            ],
        }
    )
    info = sides.client.get_trace(f"tr-{spans[1].context.trace_id:032x}").info
    assert (info.request_preview, info.response_preview) == snapshot(
        ("How is the weather in Paris?", "In Paris it is 18 degrees in Paris.")
    )


def test_embeddings_show_their_inputs(sides):
    spans = recorded("embeddings.json")
    sides.export(spans)
    assert [looks(one) for span in spans for one in sides.both(span)] == snapshot(
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
    traces = sides.found(sides.mapped, "span.type = 'EMBEDDING'")
    assert sorted(trace.info.request_preview for trace in traces) == snapshot(
        ["Where is Paris?", "Where is Rome?"]
    )


@pytest.mark.parametrize("result", ["[]", '""', "{}"])
def test_an_empty_result_is_one(sides, result):
    span = made({"gen_ai.tool.call.result": result})
    sides.export([span])
    mapped, plain = sides.both(span)
    assert (mapped.outputs, plain.outputs) == (json.loads(result), None)
    assert "gen_ai.tool.call.result" not in mapped.attributes


def test_a_type_can_be_searched_for(sides):
    spans = [made({"gen_ai.operation.name": "execute_tool"}) for _ in range(2)]
    sides.export(spans)
    assert len(sides.found(sides.mapped, "span.type = 'TOOL'")) == 2
    assert sides.found(sides.plain, "span.type = 'TOOL'") == []


def test_a_failure_without_an_exception_event_has_one(sides):
    """MLflow's page marks a span by it; util-genai of today writes none."""
    failed = Status(StatusCode.ERROR, "Error code: 404")
    span = made({"error.type": "openai.NotFoundError"}, status=failed)
    sides.export([span])
    mapped, plain = sides.both(span)
    assert [(event.name, event.attributes) for event in mapped.events] == [
        (
            "exception",
            {
                "exception.type": "openai.NotFoundError",
                "exception.message": "Error code: 404",
            },
        )
    ]
    assert plain.events == []
    assert mapped.status == plain.status


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.method": "GET", "url.full": "https://shop.example/", "n": 2},
        {"db.system.name": "postgresql", "db.query.text": "SELECT 1"},
        {"app.anything": ("a", "b"), "app.flag": False},
    ],
)
def test_what_is_not_genai_is_kept_as_it_is(sides, attributes):
    root = made({})
    child = ReadableSpan(
        "child",
        SpanContext(root.context.trace_id, 8, is_remote=False),
        root.context,
        Resource({}),
        attributes,
        start_time=root.start_time,
        end_time=root.end_time,
    )
    sides.export([child, root])
    mapped, plain = sides.both(child)
    assert looks(mapped) == looks(plain) == (None, None, None)
    for name, value in attributes.items():
        kept = list(value) if isinstance(value, tuple) else value
        assert mapped.attributes[name] == plain.attributes[name] == kept


def test_scorers_find_what_a_retrieval_found(sides):
    from mlflow.genai.utils.trace_utils import (
        extract_retrieval_context_from_trace,
    )

    documents = [{"id": "d1", "score": 0.9, "content": "Paris is in France."}]
    span = made(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Where is Paris?",
            "gen_ai.retrieval.documents": json.dumps(documents),
        }
    )
    sides.export([span])
    contents = [
        extract_retrieval_context_from_trace(sides.client.get_trace(f"tr-{trace:032x}"))
        for trace in (span.context.trace_id, span.context.trace_id ^ 1)
    ]
    assert contents == snapshot(
        [{"0000000000000007": [{"content": "Paris is in France."}]}, {}]
    )
