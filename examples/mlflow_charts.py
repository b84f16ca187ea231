# pyright: basic
"""Queries the data of MLflow's charts: `python examples/mlflow_charts.py`.

Needs `pip install mlflow` in addition to the packages of the README.
"""

import os
from typing import Any

import mlflow
import requests

server = os.environ["MLFLOW_TRACKING_URI"]
name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "Default")
experiment: Any = mlflow.get_experiment_by_name(name)


def query_chart(view: str, metric: str, aggregation: str, *dimensions: str) -> Any:
    response = requests.post(
        f"{server}/api/3.0/mlflow/traces/metrics",
        json={
            "experiment_ids": [experiment.experiment_id],
            "view_type": view,
            "metric_name": metric,
            "aggregations": [{"aggregation_type": aggregation}],
            "dimensions": dimensions,
        },
        timeout=30,
    )
    response.raise_for_status()
    points = response.json()["data_points"]
    return [
        (*p.get("dimensions", {}).values(), p["values"][aggregation]) for p in points
    ]


for tokens in ("input_tokens", "cache_read_input_tokens", "output_tokens"):
    print(tokens, query_chart("TRACES", tokens, "SUM"))
print("cost in USD", query_chart("SPANS", "total_cost", "SUM", "span_model_name"))
print("milliseconds", query_chart("TRACES", "latency", "AVG"))
