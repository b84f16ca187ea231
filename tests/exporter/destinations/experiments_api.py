"""The experiments of MLflow's REST API, to be used as `fake_server.respond`."""

from __future__ import annotations

import json
from types import MappingProxyType

from tests.exporter.conftest import Response, error_response

EXPERIMENTS = MappingProxyType({"agents": ("5", "active"), "others": ("6", "active")})


class ExperimentsApi:
    """Responds as an MLflow server 3.17.2 does.

    `experiments` maps names to ids and lifecycle stages. `loses_creation_race` means
    that another client creates an experiment just before each request to create it.
    """

    def __init__(self, experiments=None, *, loses_creation_race=False):
        self.experiments = dict(experiments or {})
        self.loses_creation_race = loses_creation_race

    def __call__(self, request):
        if request.path == "/v1/traces":
            return Response()
        if request.method == "GET":
            name = request.path.partition("experiment_name=")[2]
            if name not in self.experiments:
                return error_response(404, "RESOURCE_DOES_NOT_EXIST")
            experiment_id, stage = self.experiments[name]
            experiment = {
                "experiment_id": experiment_id,
                "name": name,
                "lifecycle_stage": stage,
                "artifact_location": "mlflow-artifacts:/",
            }
            return _json_response({"experiment": experiment})
        if request.headers.get("content-type") != "application/json":
            return error_response(400, "INVALID_PARAMETER_VALUE")
        name = json.loads(request.body)["name"]
        self.experiments[name] = ("9", "active")
        if self.loses_creation_race:
            return error_response(400, "RESOURCE_ALREADY_EXISTS")
        return _json_response({"experiment_id": "9"})


def _json_response(value):
    return Response(
        body=json.dumps(value).encode(), headers={"Content-Type": "application/json"}
    )


def experiment_ids(fake_server):
    """The experiment of each request with spans."""
    return [
        request.headers["x-mlflow-experiment-id"]
        for request in fake_server.requests
        if request.path == "/v1/traces"
    ]
