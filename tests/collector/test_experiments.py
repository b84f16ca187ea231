"""experiments.yaml: each service to an experiment of its own."""

from __future__ import annotations

import time

import pytest

from .conftest import AGENT, said

pytestmark = pytest.mark.e2e


def test_a_service_or_a_tenant_has_its_own_experiment(
    collector, mlflow_uri, mlflow, traces
):
    default, billing, acme = (
        mlflow.create_experiment(f"{name} {time.time_ns()}")
        for name in ("default", "billing", "acme")
    )
    with collector(
        *AGENT,
        "experiments.yaml",
        MLFLOW_TRACKING_URI=mlflow_uri,
        MLFLOW_EXPERIMENT_ID=default,
        MLFLOW_EXPERIMENT_ID_BILLING=billing,
        MLFLOW_EXPERIMENT_ID_ACME=acme,
    ) as running:
        said(running, {"of": "billing"}, **{"service.name": "billing-bot"})
        said(running, {"of": "acme"}, **{"tenant.id": "acme"})
        said(running, {"of": "another"}, **{"service.name": "another"})
        found = {
            name: [
                span.attributes["of"]
                for trace in traces(experiment, lambda found: found)
                for span in trace.data.spans
            ]
            for name, experiment in (
                ("default", default),
                ("billing", billing),
                ("acme", acme),
            )
        }
    assert found == {"default": ["another"], "billing": ["billing"], "acme": ["acme"]}
