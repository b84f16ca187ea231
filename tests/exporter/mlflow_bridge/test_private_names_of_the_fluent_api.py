"""The contract with MLflow: the private names that `_fluent_api` reads.

To be run with each version of MLflow.
"""

from __future__ import annotations

from .mlflow_names import has_name, require_name
from .mlflow_programs import run_mlflow_program

CONTEXT = ("tracing/context.py", "_USER_TRACE_CONTEXT")
OVERRIDE = ("tracing/sampling.py", "_SAMPLING_RATIO_OVERRIDE")
CURRENT_SPAN = ("tracing/provider.py", "get_current_otel_span")
SPAN_PROCESSORS = ("tracing/config.py", "span_processors")

READ = """
    import mlflow, threading
    from opentelemetry.exporter.mlflow._fluent_api import (
        _last_trace, _sampling, _span_processors, _trace_context
    )
    os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
    mlflow.tracing  # loads the modules
    fields_of = lambda scoped: list(vars(scoped).values())
"""


def read(fake_server, program):
    return run_mlflow_program(READ + program, fake_server)


def test_destination_of_the_process(fake_server):
    program = """
    try:
        from mlflow.entities.trace_location import MlflowExperimentLocation
        mlflow.tracing.set_destination(MlflowExperimentLocation("7"))
    except Exception:  # MLflow 3.1 and 3.2 have a class of their own for it.
        from mlflow.tracing.destination import MlflowExperiment
        mlflow.tracing.set_destination(MlflowExperiment(experiment_id="7"))
    print(json.dumps(_trace_context.read_trace_context().experiment_id))
    """
    assert read(fake_server, program) == "7"


def test_model_of_the_process_and_of_the_thread(fake_server):
    program = """
    import mlflow.tracking.fluent as fluent
    models = [_trace_context.read_trace_context()]
    fluent._set_active_model_id("m-1")
    models.append(_trace_context.read_trace_context())
    read = lambda: models.append(_trace_context.read_trace_context())
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    print(json.dumps([m and m.model_id and fields_of(m.model_id) for m in models]))
    """
    nothing, own, other = read(fake_server, program)
    assert nothing is None
    assert own == ["m-1", True]
    assert other in (None, ["m-1", False])


def test_run_of_another_thread(fake_server):
    program = """
    import mlflow.tracking.fluent as fluent
    from types import SimpleNamespace
    info = SimpleNamespace(run_id="r-1", experiment_id="3", start_time=1)
    run = SimpleNamespace(info=info)
    stack = fluent._active_run_stack.get()
    stack.append(run)
    contexts = [_trace_context.read_trace_context()]
    read = lambda: contexts.append(_trace_context.read_trace_context())
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    stack.pop()
    print(json.dumps([fields_of(context.run) for context in contexts]))
    """
    run = ["r-1", "3"]
    assert read(fake_server, program) == [[run, True], [run, False]]


def test_last_trace(fake_server):
    program = """
    _last_trace.set_last_active_trace(7)
    print(json.dumps(mlflow.get_last_active_trace_id()))
    """
    assert read(fake_server, program) == f"tr-{7:032x}"


def test_tracing_that_is_disabled(fake_server):
    program = """
    states = [_sampling.is_disabled()]
    mlflow.tracing.disable()
    states.append(_sampling.is_disabled())
    mlflow.tracing.enable()
    states.append(_sampling.is_disabled())
    print(json.dumps(states))
    """
    assert read(fake_server, program) == [False, True, False]


def test_context_of_the_program(fake_server):
    require_name(*CONTEXT)
    program = """
    with mlflow.tracing.context(session_id="s-1", tags={"team": "search"}):
        context = _trace_context.read_trace_context()
    with mlflow.tracing.context(enabled=False):
        is_disabled = _sampling.is_disabled()
    print(json.dumps([context.session, context.tags, is_disabled]))
    """
    assert read(fake_server, program) == ["s-1", {"team": "search"}, True]


def test_sampling_ratio_of_a_function(fake_server):
    require_name(*OVERRIDE)
    program = """
    ratios = []

    @mlflow.trace(sampling_ratio_override=1.0)
    def agent():
        ratios.append(_sampling.sampling_override())

    agent()
    ratios.append(_sampling.sampling_override())
    print(json.dumps(ratios))
    """
    assert read(fake_server, program) == [1.0, None]


def test_current_span_of_mlflow(fake_server):
    program = """
    states = [_sampling.is_fluent_span_sampled()]
    with mlflow.start_span("agent"):
        states.append(_sampling.is_fluent_span_sampled())
    print(json.dumps(states))
    """
    expected = True if has_name(*CURRENT_SPAN) else None
    assert read(fake_server, program) == [None, expected]


def test_configured_span_processors(fake_server):
    require_name(*SPAN_PROCESSORS)
    program = """
    functions = [len(_span_processors.configured_span_processors())]
    mlflow.tracing.configure(span_processors=[lambda span: None])
    functions.append(len(_span_processors.configured_span_processors()))
    print(json.dumps(functions))
    """
    assert read(fake_server, program) == [0, 1]
