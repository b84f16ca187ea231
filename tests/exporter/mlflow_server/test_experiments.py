"""The experiment that traces go to: by name, by number, or none."""

from __future__ import annotations

import pytest

from .conftest import FAILURE, OPENS_A_STORE, SUCCESS

pytestmark = [pytest.mark.e2e, OPENS_A_STORE]


def test_an_experiment_is_created_once_and_found_again(mlflow, spans):
    for _ in range(2):
        mlflow.export([spans.make("s")])
    assert mlflow.found("trace.status = 'OK'") == ["s", "s"]


def test_an_experiment_may_be_given_by_its_number(mlflow, spans):
    number = mlflow.client.create_experiment(mlflow.experiment)
    mlflow.export([spans.make("s")], experiment_name=None, experiment_id=number)
    assert mlflow.found("trace.status = 'OK'") == ["s"]


def test_without_an_experiment_it_is_mlflows_default(mlflow, spans):
    span = spans.make("s")
    mlflow.export([span], experiment_name=None)
    assert mlflow.trace(span).info.experiment_id == "0"


def test_an_unknown_number_is_said_once(mlflow, spans, caplog):
    exporter = mlflow.exporter(experiment_name=None, experiment_id=987654)
    assert exporter.export([spans.make()]) is FAILURE
    assert exporter.export([spans.make()]) is FAILURE
    assert exporter.dropped_spans == 2
    (record,) = caplog.records
    assert (
        "experiment 987654 does not exist (404 RESOURCE_DOES_NOT_EXIST)"
        in record.msg % (record.args)
    )
    exporter.shutdown()


def test_a_deleted_experiment_is_to_be_restored(mlflow, spans, caplog):
    number = mlflow.client.create_experiment(mlflow.experiment)
    mlflow.client.delete_experiment(number)
    exporter = mlflow.exporter()
    assert exporter.export([spans.make()]) is FAILURE
    assert f"experiment '{mlflow.experiment}' is deleted" in caplog.text
    mlflow.client.restore_experiment(number)
    assert exporter.export([spans.make("s")]) is SUCCESS
    exporter.shutdown()
    assert mlflow.found("trace.status = 'OK'") == ["s"]


def test_a_name_that_mlflow_does_not_take_is_said(mlflow, spans, caplog):
    exporter = mlflow.exporter(experiment_name="x" * 1000)
    assert exporter.export([spans.make(), spans.make()]) is FAILURE
    assert "the request failed (400 INVALID_PARAMETER_VALUE)" in caplog.text
    exporter.shutdown()


@pytest.mark.parametrize("first", [True, False])
def test_two_may_create_one_experiment_at_once(mlflow, first):
    from opentelemetry.exporter.mlflow._destinations._experiment import (
        find_or_create_experiment,
    )

    exporter = mlflow.exporter()
    destination = exporter._destination._destination
    catalogue = getattr(destination, "find_experiment", None) and destination
    if catalogue is None:
        from opentelemetry.exporter.mlflow._destinations._local_store import (
            LocalExperimentStore,
        )

        catalogue = LocalExperimentStore(mlflow.uri)

    class Late:
        """Looks before the other has created it, as a race has it."""

        def __init__(self):
            self.looked = 0

        def find_experiment(self, name):
            self.looked += 1
            return None if self.looked == 1 else catalogue.find_experiment(name)

        create_experiment = staticmethod(catalogue.create_experiment)

    number = None if first else mlflow.client.create_experiment(mlflow.experiment)
    found = find_or_create_experiment(mlflow.experiment, Late())
    assert found == (number or mlflow.experiment_id)
    exporter.shutdown()
