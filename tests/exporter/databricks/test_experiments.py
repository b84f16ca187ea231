"""The experiment of a workspace that spans are exported to."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._destinations import create_destination
from tests.exporter.conftest import error_response

from .destination import export_error, new_destination, translate
from .fake_databricks import EXPERIMENT_ID


@pytest.mark.parametrize("name", ["/Shared/new", "/Workspace/Shared/new"])
def test_missing_experiment_is_created(databricks, spans, name):
    destination = new_destination(experiment_name=name)
    destination.send(translate([spans.make()]))
    destination.send(translate([spans.make()]))
    destination.close()
    (request,) = databricks.requests_to("/create$")
    assert request.body == {"name": "/Shared/new"}
    assert len(databricks.requests_to("/experiments/")) == 3


def test_experiment_id_selects_experiment(databricks, spans):
    destination = new_destination(experiment_id=EXPERIMENT_ID)
    destination.send(translate([spans.make()]))
    destination.close()
    assert [request.path for request in databricks.requests_to("/experiments/")] == [
        "/api/2.0/mlflow/experiments/get"
    ]
    assert len(databricks.trace_infos) == 1


@pytest.mark.parametrize(
    ("experiment", "cause", "advice"),
    [
        ({"experiment_id": 7}, "(RESOURCE_DOES_NOT_EXIST)", "MLFLOW_EXPERIMENT_ID"),
        ({"experiment_id": 0}, "has no default experiment", "/Shared/agents"),
        ({"experiment_name": "/Shared/old"}, "'/Shared/old' is deleted", "Restore"),
        ({"experiment_name": "/No/x"}, "(INVALID_PARAMETER_VALUE)", "the folder"),
    ],
)
def test_unusable_experiment_is_reported(databricks, spans, experiment, cause, advice):
    databricks.add_experiment("/Shared/old", "9")
    databricks.experiments["9"]["lifecycle_stage"] = "deleted"
    destination = new_destination(**experiment)
    if experiment.get("experiment_name") == "/No/x":
        response = error_response(400, "INVALID_PARAMETER_VALUE")
        databricks.overrides["/experiments/create$"] = response
    error = export_error(destination, translate([spans.make()]))
    assert cause in error.cause
    assert advice in error.advice
    assert databricks.trace_infos == {}


def test_unset_experiment_is_reported(databricks, spans):
    destination = create_destination(
        tracking_uri="databricks",
        experiment_id=None,
        experiment_name=None,
        timeout=None,
    )
    error = export_error(destination, translate([spans.make()]))
    assert error.cause == "a Databricks workspace has no default experiment"


def test_experiment_created_by_another_client_is_used(databricks, spans):
    path = "/experiments/create$"
    databricks.overrides[path] = error_response(400, "RESOURCE_ALREADY_EXISTS")
    destination = new_destination(experiment_name="/Shared/new")
    error = export_error(destination, translate([spans.make()]))
    assert "is deleted" in error.cause  # or does not exist, although it was created
    databricks.add_experiment("/Shared/new", "9")
    destination.send(translate([spans.make()]))
    assert [info["trace_location"] for info in databricks.trace_infos.values()] == [
        {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": "9"},
        }
    ]
