# pyright: basic
"""What MLflow's charts show of an experiment: `python examples/mlflow_charts.py`."""

import os
from typing import Any

import mlflow
import requests

server = os.environ["MLFLOW_TRACKING_URI"]
name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "Default")
experiment: Any = mlflow.get_experiment_by_name(name)


def chart(view: str, metric: str, kind: str, *dimensions: str) -> Any:
    answer = requests.post(
        f"{server}/api/3.0/mlflow/traces/metrics",
        json={
            "experiment_ids": [experiment.experiment_id],
            "view_type": view,
            "metric_name": metric,
            "aggregations": [{"aggregation_type": kind}],
            "dimensions": dimensions,
        },
        timeout=30,
    )
    answer.raise_for_status()
    points = answer.json()["data_points"]
    return [(*p.get("dimensions", {}).values(), p["values"][kind]) for p in points]


for tokens in ("input_tokens", "cache_read_input_tokens", "output_tokens"):
    print(tokens, chart("TRACES", tokens, "SUM"))
print("cost in USD", chart("SPANS", "total_cost", "SUM", "span_model_name"))
print("milliseconds", chart("TRACES", "latency", "AVG"))
