"""Which resource attributes are tags of the trace, and which move to the root span."""

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

INSTANCE_ID = "627cc493-f310-47de-96bd-71410b7dec09"
REMOTE_PARENT = set_span_in_context(
    NonRecordingSpan(
        SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    )
)


def make_spans(resource, parent=None, attributes=None):
    """A local root span and its child."""
    finished = InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    start = provider.get_tracer("t").start_as_current_span
    with start("root", parent, attributes=attributes), start("child"):
        pass
    child, root = finished.get_finished_spans()
    return root, child


def translate(*spans, promote_remote_root=True):
    return BatchTranslator(promote_remote_root=promote_remote_root).translate(spans)


@pytest.mark.parametrize(
    ("tags", "root_attributes"),
    [
        (
            {"service.name": "shop", "service.version": "7", "tenant.id": "acme"},
            {"service.instance.id": INSTANCE_ID, "telemetry.auto.version": "0.66b0"},
        ),
        ({"service.instance.id": "pod-7"}, {"service.name": "unknown_service:python"}),
        ({"service.instance.id": 7, "telemetry.sdk.name": "opentelemetry"}, {}),
    ],
)
def test_attributes_filled_in_by_the_sdk_move_to_the_root_span(tags, root_attributes):
    resource = Resource({**tags, **root_attributes}, "https://schema")
    root, child = translate(*make_spans(resource))
    assert root.resource == child.resource == Resource(tags, "https://schema")
    moved = {name: root.attributes.get(name) for name in root_attributes}
    assert moved == root_attributes
    assert not child.attributes


def test_default_resource_of_the_sdk_has_no_tags():
    root, _ = translate(*make_spans(Resource.create()))
    assert {*root.resource.attributes} == {
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
    }


@pytest.mark.parametrize("promote_remote_root", [True, False])
def test_local_root_of_each_service_has_its_own_attributes(promote_remote_root):
    spans = make_spans(Resource({"service.instance.id": INSTANCE_ID}), REMOTE_PARENT)
    root, child = translate(*spans, promote_remote_root=promote_remote_root)
    assert root.attributes["service.instance.id"] == INSTANCE_ID
    assert "service.instance.id" not in child.attributes


def test_span_attribute_takes_precedence_over_resource_attribute():
    attributes = {"service.instance.id": "mine"}
    resource = Resource({"service.instance.id": INSTANCE_ID})
    root, _ = translate(*make_spans(resource, None, attributes))
    assert root.attributes["service.instance.id"] == "mine"


def test_resource_of_the_application_is_unchanged():
    resource = Resource({"service.instance.id": INSTANCE_ID})
    root, child = make_spans(resource)
    translate(root, child)
    assert root.resource is child.resource is resource
    assert dict(resource.attributes) == {"service.instance.id": INSTANCE_ID}


def test_spans_keep_their_own_resources():
    translator = BatchTranslator(promote_remote_root=True)
    names = ("a", "b", "a")
    spans = [
        span for name in names for span in make_spans(Resource({"service.name": name}))
    ]
    translated = translator.translate(spans)
    assert [span.resource.attributes["service.name"] for span in translated] == list(
        "aabbaa"
    )
    assert len(encode_spans(translated).resource_spans) == len({*names})


def test_only_the_last_resource_is_cached():
    translator = BatchTranslator(promote_remote_root=True)
    resource = Resource({"service.name": "a"})
    reference = weakref.ref(resource)
    translator.translate(make_spans(resource))
    translator.translate(make_spans(Resource({"service.name": "b"})))
    del resource
    gc.collect()
    assert reference() is None
