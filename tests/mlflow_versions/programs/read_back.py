"""Prints the traces of an experiment as JSON, read with the installed MLflow.

`python read_back.py URI EXPERIMENT_NAME` runs with every MLflow from 3.1, and imports
nothing of this project.
"""

# ruff: noqa: T201  # prints the result

import json
import sys
import warnings

import mlflow


def read_trace(trace_id):
    trace = mlflow.get_trace(trace_id)
    if trace is None:
        return None
    info = trace.info
    return {
        "trace_id": info.trace_id,
        "request_time": info.request_time,
        "execution_duration": info.execution_duration,
        "state": str(info.state.value),
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        "tags": dict(info.tags),
        "metadata": dict(info.trace_metadata),
        "token_usage": getattr(info, "token_usage", None),
        "cost": getattr(info, "cost", None),
        "spans": [read_span(span) for span in trace.data.spans],
    }


def read_span(span):
    return {
        "name": span.name,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "start_ns": span.start_time_ns,
        "end_ns": span.end_time_ns,
        "type": span.span_type,
        "status": str(span.status.status_code.value),
        "inputs": span.inputs,
        "outputs": span.outputs,
        "attributes": {name: span.get_attribute(name) for name in span.attributes},
    }


warnings.simplefilter("ignore")
mlflow.set_tracking_uri(sys.argv[1])
experiment = mlflow.get_experiment_by_name(sys.argv[2])
if experiment:
    # Without it, the page asks for the kind of the experiment, above its tabs.
    mlflow.MlflowClient().set_experiment_tag(
        experiment.experiment_id, "mlflow.experimentKind", "genai_development"
    )
found = (
    mlflow.search_traces(
        experiment_ids=[experiment.experiment_id], return_type="list", max_results=50
    )
    if experiment
    else []
)
traces = [read_trace(trace.info.trace_id) for trace in found]
print(
    json.dumps(
        {
            "experiment_id": experiment and experiment.experiment_id,
            "traces": [trace for trace in traces if trace],
            # The number of spans that the search itself gives, by trace.
            "searched_spans": {
                trace.info.trace_id: len(trace.data.spans) for trace in found
            },
        },
        default=str,
    )
)
