# ruff: noqa: T201  # written as users write programs
"""Programs that tell MLflow something, and call DeepSeek outside or beneath a span.

`python program.py autolog source_run call` runs one of them: with MLflow's autolog,
with the instrumentation in code (`instrument`), or as it is (`none`).
"""

import json
import logging
import os
import sys
import threading

import mlflow
from openai import OpenAI

MODEL = "deepseek-v4-flash"
RECORDER, PROGRAM, PLACE = sys.argv[1:4]
QUESTION = "My card is 4111-1111-1111-1111."
logging.basicConfig(level=logging.INFO)


def instrument():
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from opentelemetry import trace
    from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    provider = TracerProvider()
    for exporter in (MlflowSpanExporter(), OTLPSpanExporter()):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    DeepSeekInstrumentor().instrument()
    MlflowInstrumentor().instrument()


client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="sk-e2e")


def ask(question=QUESTION):
    client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": question}]
    )


@mlflow.trace
def agent(question=QUESTION):
    ask(question)


call = {"call": ask, "agent": agent}[PLACE]


def say(**facts):
    print(json.dumps(facts))


def source_run():
    with mlflow.start_run() as run:
        call()
    say(run=run.info.run_id, other=None)
    with mlflow.start_run() as run:
        call()
    call()


def run_of_another_experiment():
    experiment_id = mlflow.create_experiment(os.environ["OTHER_EXPERIMENT"])
    with mlflow.start_run(experiment_id=experiment_id):
        call()


def runs_of_threads():
    barrier = threading.Barrier(2)

    def work(name):
        with mlflow.start_run(run_name=name):
            barrier.wait(10)
            call(f"I am {name}.")
            barrier.wait(10)

    threads = [threading.Thread(target=work, args=(n,)) for n in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def active_model():
    mlflow.set_active_model(name="bot")
    call()


def set_destination(experiment_id, **options):
    from mlflow.entities.trace_location import MlflowExperimentLocation
    from mlflow.tracing import destination

    try:
        mlflow.tracing.set_destination(
            MlflowExperimentLocation(experiment_id=experiment_id), **options
        )
    except mlflow.MlflowException:  # MLflow before 3.5
        mlflow.tracing.set_destination(
            destination.MlflowExperiment(experiment_id=experiment_id), **options
        )


def destination():
    experiment_id = mlflow.create_experiment(os.environ["OTHER_EXPERIMENT"])
    call()
    set_destination(experiment_id)
    call()


def destination_of_a_thread():
    experiment_id = mlflow.create_experiment(os.environ["OTHER_EXPERIMENT"])

    def work():
        set_destination(experiment_id, context_local=True)
        call()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    call()


def context():
    with mlflow.tracing.context(
        session_id="s1", user="ada", tags={"team": "red"}, metadata={"build": "7"}
    ):
        call()
        with mlflow.tracing.context(metadata={"build": "8"}, tags={"more": "1"}):
            call()
    call()


def redact(span):
    for read, write in (
        (span.inputs, span.set_inputs),
        (span.outputs, span.set_outputs),
    ):
        if read is not None:
            write(json.loads(json.dumps(read).replace("4111-1111-1111-1111", "[card]")))


def span_processors():
    mlflow.tracing.configure(span_processors=[redact])
    call()


def temporary_span_processors():
    with mlflow.tracing.configure(span_processors=[redact]):
        call()
    call("My name is Ada.")


def failing_span_processor():
    def fail(span):
        raise LookupError(span.name)

    mlflow.tracing.configure(span_processors=[fail])
    call()


def disable():
    call("Before.")
    mlflow.tracing.disable()
    call("Meanwhile.")
    mlflow.tracing.enable()
    call("After.")


def disabled_context():
    with mlflow.tracing.context(enabled=False):
        call("Meanwhile.")
    call("After.")


def sampling_ratio():
    for number in range(20):
        call(f"Number {number}.")


def sampling_override():
    @mlflow.trace(sampling_ratio_override=0.0)
    def never():
        call("Never.")

    @mlflow.trace(sampling_ratio_override=1.0)
    def always():
        call("Always.")

    never()
    always()


def last_trace():
    ids = {}

    def work(name):
        call()
        ids[name] = mlflow.get_last_active_trace_id(thread_local=True)

    threads = [threading.Thread(target=work, args=(n,)) for n in ("ada", "bob")]
    for thread in threads:
        thread.start()
        thread.join()
    say(
        **ids,
        here=mlflow.get_last_active_trace_id(thread_local=True),
        last=mlflow.get_last_active_trace_id(),
    )


def active_trace():
    ids = {}

    @mlflow.trace
    def outer():
        ids["active"] = mlflow.get_active_trace_id()
        ask()

    outer()
    say(**ids)


def autolog_too():
    mlflow.openai.autolog()
    call()
    mlflow.openai.autolog(disable=True)
    call("After.")


if RECORDER == "autolog":
    mlflow.openai.autolog()
elif RECORDER == "instrument":
    instrument()
globals()[PROGRAM]()
if RECORDER == "autolog" and hasattr(mlflow, "flush_trace_async_logging"):
    mlflow.flush_trace_async_logging()
