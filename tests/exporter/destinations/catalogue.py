"""A server's experiments, and what it was sent into them."""

from __future__ import annotations

import json
from types import MappingProxyType

from tests.exporter.conftest import Answer, mlflow_error

AGENTS_AND_OTHERS = MappingProxyType(
    {"agents": ("5", "active"), "others": ("6", "active")}
)


class Catalogue:
    """Answers as MLflow's REST API does, recorded from a server of 3.17.2.

    `experiments` maps names to numbers and stages.
    """

    def __init__(self, experiments=None, *, others_are_faster=False):
        self.experiments = dict(experiments or {})
        self.others_are_faster = others_are_faster

    def __call__(self, request):
        if request.path == "/v1/traces":
            return Answer()
        if request.method == "GET":
            name = request.path.partition("experiment_name=")[2]
            if name not in self.experiments:
                return mlflow_error(404, "RESOURCE_DOES_NOT_EXIST")
            number, stage = self.experiments[name]
            experiment = {
                "experiment_id": number,
                "name": name,
                "lifecycle_stage": stage,
                "artifact_location": "mlflow-artifacts:/",
            }
            return _answer({"experiment": experiment})
        name = json.loads(request.body)["name"]
        self.experiments[name] = ("9", "active")
        if self.others_are_faster:
            return mlflow_error(400, "RESOURCE_ALREADY_EXISTS")
        return _answer({"experiment_id": "9"})


def _answer(value):
    return Answer(
        body=json.dumps(value).encode(), headers={"Content-Type": "application/json"}
    )


def sent_to(wire):
    return [
        request.headers["x-mlflow-experiment-id"]
        for request in wire.requests
        if request.path == "/v1/traces"
    ]
