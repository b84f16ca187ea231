"""What of a resource is a tag of the trace in MLflow, and what its first span says."""

from __future__ import annotations

import gc
import weakref

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator

INSTANCE = "627cc493-f310-47de-96bd-71410b7dec09"
REMOTE = set_span_in_context(
    NonRecordingSpan(
        SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    )
)


def made(resource, parent=None, attributes=None):
    """A span, and one beneath it."""
    finished = InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    start = provider.get_tracer("t").start_as_current_span
    with start("first", parent, attributes=attributes), start("beneath"):
        pass
    beneath, first = finished.get_finished_spans()
    return first, beneath


def mapped(*spans, promote_remote=True):
    return BatchTranslator(promote_remote_root=promote_remote).translate(spans)


@pytest.mark.parametrize(
    ("tags", "untagged"),
    [
        (
            {"service.name": "shop", "service.version": "7", "tenant.id": "acme"},
            {"service.instance.id": INSTANCE, "telemetry.auto.version": "0.66b0"},
        ),
        ({"service.instance.id": "pod-7"}, {"service.name": "unknown_service:python"}),
        ({"service.instance.id": 7, "telemetry.sdk.name": "opentelemetry"}, {}),
    ],
)
def test_what_the_sdk_fills_in_is_an_attribute_and_no_tag(tags, untagged):
    first, beneath = mapped(*made(Resource({**tags, **untagged}, "https://schema")))
    assert first.resource == beneath.resource == Resource(tags, "https://schema")
    said = {key: first.attributes.get(key) for key in untagged}
    assert said == untagged
    assert not beneath.attributes


def test_what_the_sdk_fills_in_today_is_known():
    first, _ = mapped(*made(Resource.create()))
    assert {*first.resource.attributes} == {
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
    }


@pytest.mark.parametrize("promote_remote", [True, False])
def test_each_service_of_a_trace_says_its_own(promote_remote):
    spans = made(Resource({"service.instance.id": INSTANCE}), REMOTE)
    first, beneath = mapped(*spans, promote_remote=promote_remote)
    assert first.attributes["service.instance.id"] == INSTANCE
    assert "service.instance.id" not in beneath.attributes


def test_what_the_span_says_of_it_goes_first():
    own = {"service.instance.id": "mine"}
    first, _ = mapped(*made(Resource({"service.instance.id": INSTANCE}), None, own))
    assert first.attributes["service.instance.id"] == "mine"


def test_the_application_keeps_its_resource():
    resource = Resource({"service.instance.id": INSTANCE})
    first, beneath = made(resource)
    mapped(first, beneath)
    assert first.resource is beneath.resource is resource
    assert dict(resource.attributes) == {"service.instance.id": INSTANCE}


def test_spans_of_several_resources_stay_apart():
    roots = BatchTranslator(promote_remote_root=True)
    names = ("a", "b", "a")
    spans = [span for name in names for span in made(Resource({"service.name": name}))]
    sent = roots.translate(spans)
    assert [span.resource.attributes["service.name"] for span in sent] == list("aabbaa")
    assert len(encode_spans(sent).resource_spans) == len({*names})


def test_only_the_last_resource_is_kept():
    roots = BatchTranslator(promote_remote_root=True)
    first = Resource({"service.name": "a"})
    kept = weakref.ref(first)
    roots.translate(made(first))
    roots.translate(made(Resource({"service.name": "b"})))
    del first
    gc.collect()
    assert kept() is None
