"""experiments.yaml sends the traces of each service to its own experiment."""

from __future__ import annotations

import time

import pytest

from .conftest import AGENT_CONFIG, AGENT_SPAN_COUNT

pytestmark = pytest.mark.e2e


def test_experiment_is_chosen_by_service_or_tenant(
    make_collector, run_agent, mlflow_uri, mlflow_client, wait_for_traces
):
    default, billing, acme = (
        mlflow_client.create_experiment(f"{name} {time.time_ns()}")
        for name in ("default", "billing", "acme")
    )
    with make_collector(
        *(*AGENT_CONFIG, "experiments.yaml"),
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=default,
        MLFLOW_EXPERIMENT_ID_BILLING=billing,
        MLFLOW_EXPERIMENT_ID_ACME=acme,
    ) as collector:
        run_agent(collector, OTEL_SERVICE_NAME="billing-bot")
        run_agent(collector, OTEL_RESOURCE_ATTRIBUTES="tenant.id=acme")
        run_agent(collector, OTEL_SERVICE_NAME="another")
        results = [
            [
                (trace.info.tags["service.name"], len(trace.data.spans))
                for trace in wait_for_traces(
                    experiment_id,
                    lambda traces: (
                        traces and len(traces[0].data.spans) == AGENT_SPAN_COUNT
                    ),
                )
            ]
            for experiment_id in (default, billing, acme)
        ]
    assert results == [[("another", 5)], [("billing-bot", 5)], [("e2e", 5)]]
