"""The experiment of a workspace that spans go into."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._destinations import create_destination

from .exchange import error
from .fake import EXPERIMENT_ID
from .sending import mapped, refused, to


@pytest.mark.parametrize("name", ["/Shared/new", "/Workspace/Shared/new"])
def test_a_missing_experiment_is_created(databricks, spans, name):
    place = to(experiment_name=name)
    place.send(mapped([spans.made()]))
    place.send(mapped([spans.made()]))
    place.close()
    (created,) = databricks.sent("/create$")
    assert created.body == {"name": "/Shared/new"}
    assert len(databricks.sent("/experiments/")) == 3


def test_an_experiment_may_be_named_by_its_id(databricks, spans):
    place = to(experiment_id=EXPERIMENT_ID)
    place.send(mapped([spans.made()]))
    place.close()
    assert [sent.path for sent in databricks.sent("/experiments/")] == [
        "/api/2.0/mlflow/experiments/get"
    ]
    assert len(databricks.traces) == 1


@pytest.mark.parametrize(
    ("given", "cause", "advice"),
    [
        ({"experiment_id": 7}, "(RESOURCE_DOES_NOT_EXIST)", "MLFLOW_EXPERIMENT_ID"),
        ({"experiment_id": 0}, "has no default experiment", "/Shared/agents"),
        ({"experiment_name": "/Shared/old"}, "'/Shared/old' is deleted", "Restore"),
        ({"experiment_name": "/No/x"}, "(INVALID_PARAMETER_VALUE)", "the folder"),
    ],
)
def test_an_experiment_that_cannot_be_used_is_said(
    databricks, spans, given, cause, advice
):
    databricks.add("/Shared/old", "9")
    databricks.experiments["9"]["lifecycle_stage"] = "deleted"
    place = to(**given)
    if given.get("experiment_name") == "/No/x":
        refusal = error(400, "INVALID_PARAMETER_VALUE")
        databricks.fail["/experiments/create$"] = refusal
    why = refused(place, mapped([spans.made()]))
    assert cause in why.cause
    assert advice in why.advice
    assert databricks.traces == {}


def test_nobody_may_have_named_an_experiment(databricks, spans):
    place = create_destination(
        tracking_uri="databricks",
        experiment_id=None,
        experiment_name=None,
        timeout=None,
    )
    why = refused(place, mapped([spans.made()]))
    assert why.cause == "a Databricks workspace has no default experiment"


def test_others_may_be_faster_to_create_it(databricks, spans):
    path = "/experiments/create$"
    databricks.fail[path] = error(400, "RESOURCE_ALREADY_EXISTS")
    place = to(experiment_name="/Shared/new")
    why = refused(place, mapped([spans.made()]))
    assert "is deleted" in why.cause  # it is not there either
    databricks.add("/Shared/new", "9")
    place.send(mapped([spans.made()]))
    assert [i["trace_location"] for i in databricks.traces.values()] == [
        {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": "9"},
        }
    ]
