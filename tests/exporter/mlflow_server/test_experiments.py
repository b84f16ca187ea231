"""The experiment of the traces: selected by name, by id, or the default."""

from __future__ import annotations

import pytest

from .conftest import FAILURE, IGNORE_STORE_WARNING

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]


def test_experiment_is_created_once(mlflow, spans):
    for _ in range(2):
        mlflow.export([spans.make("s")])
    assert mlflow.search_names("trace.status = 'OK'") == ["s", "s"]


def test_experiment_can_be_selected_by_id(mlflow, spans):
    experiment_id = mlflow.client.create_experiment(mlflow.experiment_name)
    mlflow.export([spans.make("s")], experiment_name=None, experiment_id=experiment_id)
    assert mlflow.search_names("trace.status = 'OK'") == ["s"]


def test_default_experiment_is_that_of_mlflow(mlflow, spans):
    span = spans.make("s")
    mlflow.export([span], experiment_name=None)
    assert mlflow.read_trace(span).info.experiment_id == "0"


def test_unknown_experiment_id_is_logged_once(mlflow, spans, caplog):
    exporter = mlflow.make_exporter(experiment_name=None, experiment_id=987654)
    assert exporter.export([spans.make()]) is FAILURE
    assert not exporter.force_flush()
    (record,) = caplog.records
    assert (
        "experiment 987654 does not exist (404 RESOURCE_DOES_NOT_EXIST)"
        in record.msg % (record.args)
    )
    exporter.shutdown()
    assert exporter.dropped_spans == 1


def test_deleted_experiment_can_be_restored(mlflow, spans, caplog):
    experiment_id = mlflow.client.create_experiment(mlflow.experiment_name)
    mlflow.client.delete_experiment(experiment_id)
    exporter = mlflow.make_exporter()
    assert exporter.export([spans.make("s")]) is FAILURE
    assert f"experiment '{mlflow.experiment_name}' is deleted" in caplog.text
    mlflow.client.restore_experiment(experiment_id)
    assert exporter.force_flush()
    exporter.shutdown()
    assert exporter.dropped_spans == 0
    assert mlflow.search_names("trace.status = 'OK'") == ["s"]


def test_invalid_experiment_name_is_logged(mlflow, spans, caplog):
    exporter = mlflow.make_exporter(experiment_name="x" * 1000)
    assert exporter.export([spans.make(), spans.make()]) is FAILURE
    assert "the request failed (400 INVALID_PARAMETER_VALUE)" in caplog.text
    exporter.shutdown()


@pytest.mark.parametrize("exists", [False, True])
def test_two_clients_can_create_an_experiment_at_once(mlflow, exists):
    from opentelemetry.exporter.mlflow._destinations._experiment import (
        find_or_create_experiment,
    )

    exporter = mlflow.make_exporter()
    destination = exporter._destination._destination
    api = getattr(destination, "find_experiment", None) and destination
    if api is None:
        from opentelemetry.exporter.mlflow._destinations._local_store import (
            LocalExperimentStore,
        )

        api = LocalExperimentStore(mlflow.uri)

    class RacingApi:
        """Does not find the experiment at first, as in a race of two clients."""

        def __init__(self):
            self.searches = 0

        def find_experiment(self, name):
            self.searches += 1
            return None if self.searches == 1 else api.find_experiment(name)

        create_experiment = staticmethod(api.create_experiment)

    experiment_id = (
        mlflow.client.create_experiment(mlflow.experiment_name) if exists else None
    )
    result = find_or_create_experiment(mlflow.experiment_name, RacingApi())
    assert result == (experiment_id or mlflow.experiment_id)
    exporter.shutdown()
