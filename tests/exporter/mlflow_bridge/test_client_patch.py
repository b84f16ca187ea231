"""What MLflow's own client writes of traces that the exporter writes, too."""

from __future__ import annotations

import pytest

from .mlflow_names import LOG_SPANS, has_name
from .mlflow_programs import run_mlflow_program

PROGRAM = """
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    os.environ["MLFLOW_USE_BATCH_SPAN_PROCESSOR"] = "false"
    os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
    import mlflow
    from mlflow.pyfunc.context import Context, set_prediction_context
    from mlflow.tracing.client import TracingClient
    from opentelemetry.exporter.mlflow._mlflow_bridge._fluent_trace_info import (
        fluent_trace_infos,
    )

    {imports}
    uploaded, logged, desks, counts = [], [], [], []

    def start_trace(_, trace):
        info = getattr(trace, "info", trace)
        desks.append(info.tags["desk"])
        return info

    is_old = hasattr(TracingClient, "start_trace_v3")
    setattr(TracingClient, "start_trace_v3" if is_old else "start_trace", start_trace)
    TracingClient._upload_trace_data = lambda _, info, data: uploaded.extend(
        span.name for span in data.spans
    )
    if hasattr(TracingClient, "log_spans"):
        def log_spans(_, location, spans):
            logged.extend(span.name for span in spans)
            counts.extend("mlflow.chat.tokenUsage" in span.attributes for span in spans)

        TracingClient.log_spans = log_spans
    type(exporter._destination).wants_whole_traces = {wants_whole_traces}
    MlflowInstrumentor().instrument()
    row = Context("row 1", is_evaluate={is_evaluation})
    with trace.get_tracer("app").start_as_current_span("request") as request:
        with set_prediction_context(row), mlflow.start_span("agent") as agent:
            agent.set_attribute("mlflow.chat.tokenUsage", {{"input_tokens": 7}})
            mlflow.update_current_trace(tags={{"desk": "north"}})
    client_info = fluent_trace_infos.of(request.get_span_context().trace_id)
    repeated = client_info and client_info.tags["desk"]
    print(json.dumps([uploaded, logged, desks, counts, repeated]))
    os._exit(0)
"""


@pytest.mark.parametrize(
    ("wants_whole_traces", "is_evaluation", "is_written"),
    [(False, False, True), (True, False, False), (True, True, True)],
    ids=["server", "one writer", "evaluation"],
)
def test_client_writes_nothing_where_only_one_writer_is_allowed(
    fake_server, wants_whole_traces, is_evaluation, is_written
):
    program = PROGRAM.format(
        wants_whole_traces=wants_whole_traces, is_evaluation=is_evaluation, imports=""
    )
    uploaded, logged, desks, _, repeated = run_mlflow_program(program, fake_server)
    assert uploaded == ["agent"] * is_written
    assert logged == ["agent"] * (is_written and has_name(*LOG_SPANS))
    # What update_current_trace sets is never lost: the exporter repeats it.
    assert desks == ["north"] * is_written
    assert repeated == (None if is_evaluation else "north")


@pytest.mark.skipif(not has_name(*LOG_SPANS), reason="its client logs no spans")
@pytest.mark.parametrize(
    ("imports", "has_counts"),
    [("", True), ("import opentelemetry.instrumentation.deepseek", False)],
)
def test_span_has_no_token_counts_where_the_exporter_sends_the_cost(
    fake_server, imports, has_counts
):
    program = PROGRAM.format(
        wants_whole_traces=False, is_evaluation=False, imports=imports
    )
    _, logged, _, counts, _ = run_mlflow_program(program, fake_server)
    assert (logged, counts) == (["agent"], [has_counts])
