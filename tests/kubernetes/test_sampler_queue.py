"""A sampler with queue.yaml sends what waits for Kafka after it was killed."""

from __future__ import annotations

import pytest

from examples.otelcol import Collector
from tests.collector.conftest import send_spans, wait_until
from tests.collector.kafka import Kafka, NotInstalledError
from tests.skipping import skip_unless_ci

from .manifests import collectors

pytestmark = pytest.mark.e2e


@pytest.fixture
def kafka():
    try:
        with Kafka(partitions=1) as kafka:
            yield kafka
    except NotInstalledError as error:
        skip_unless_ci(error)


def test_sampled_traces_survive_the_sampler(otelcol, kafka, tmp_path):
    (container,) = (
        container
        for pod, container in collectors("examples/kubernetes/gateway")
        if pod.name == "otelcol-sampler"
    )
    assert "--config=/etc/otelcol/queue.yaml" in container["args"]
    sampler = Collector(
        otelcol,
        tmp_path,
        *("gateway/sampler.yaml", "gateway/queue.yaml"),
        KAFKA_BROKERS="[127.0.0.1:1]",
        SAMPLING_PERCENT="100",
        SAMPLING_WAIT="1s",
    )
    with sampler:
        send_spans(sampler, {"n": 1}, {"n": 2})
        wait_until(lambda: sampler.metric("otelcol_exporter_queue_size") == 2)
        sampler.kill()
        assert kafka.topic_size() == 0
        sampler.environment["KAFKA_BROKERS"] = kafka.brokers
        sampler.start()
        wait_until(lambda: kafka.topic_size() > 0)
