"""Prints the traces of an experiment as JSON, with any version of MLflow.

Usage: python read_traces.py <tracking URI> <name of the experiment>
"""

from __future__ import annotations

import inspect
import json
import sys

import mlflow


def read_traces(uri: str, experiment_name: str):
    # MLflow of 2025 reads the spans from there, whatever the client has.
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    parameters = inspect.signature(client.search_traces).parameters
    argument = "locations" if "locations" in parameters else "experiment_ids"
    experiment = client.get_experiment_by_name(experiment_name)
    if experiment is None:  # The program has sent nothing.
        return []
    return client.search_traces(**{argument: [experiment.experiment_id]})


if __name__ == "__main__":
    json.dump([trace.to_dict() for trace in read_traces(*sys.argv[1:])], sys.stdout)
