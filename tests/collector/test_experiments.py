"""experiments.yaml: each service to an experiment of its own."""

from __future__ import annotations

import time

import pytest

from .conftest import AGENT

pytestmark = pytest.mark.e2e


def test_a_service_or_a_tenant_has_its_own_experiment(
    collector, agent, mlflow_uri, mlflow, traces
):
    default, billing, acme = (
        mlflow.create_experiment(f"{name} {time.time_ns()}")
        for name in ("default", "billing", "acme")
    )
    with collector(
        *(*AGENT, "experiments.yaml"),
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=default,
        MLFLOW_EXPERIMENT_ID_BILLING=billing,
        MLFLOW_EXPERIMENT_ID_ACME=acme,
    ) as running:
        agent(running, OTEL_SERVICE_NAME="billing-bot")
        agent(running, OTEL_RESOURCE_ATTRIBUTES="tenant.id=acme")
        agent(running, OTEL_SERVICE_NAME="another")
        found = [
            [
                (trace.info.tags["service.name"], len(trace.data.spans))
                for trace in traces(
                    experiment, lambda t: t and len(t[0].data.spans) == 5
                )
            ]
            for experiment in (default, billing, acme)
        ]
    assert found == [[("another", 5)], [("billing-bot", 5)], [("e2e", 5)]]
