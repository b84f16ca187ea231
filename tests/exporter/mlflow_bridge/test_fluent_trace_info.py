"""What the program sets on the traces of `@mlflow.trace` is remembered."""

from __future__ import annotations

import types

from opentelemetry.exporter.mlflow._mlflow_bridge import _fluent_trace_info
from opentelemetry.exporter.mlflow._mlflow_bridge._fluent_trace_info import (
    FluentTraceInfos,
)

from .mlflow_programs import run_mlflow_program


def test_what_update_current_trace_sets_is_remembered(fake_server):
    info, tag, release, computed = run_mlflow_program(
        """
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from opentelemetry.exporter.mlflow._mlflow_bridge._fluent_trace_info import (
            fluent_trace_infos,
        )
        with trace.get_tracer("app").start_as_current_span("request") as request:
            for name in "ab":
                with mlflow.start_span(name) as span:
                    span.set_inputs(1)
                    mlflow.update_current_trace({"desk": name}, {"release": "7"})
                    if name == "a":
                        mlflow.update_current_trace(
                            request_preview="the question",
                            client_request_id="request-1",
                        )
                    else:
                        mlflow.update_current_trace(state="ERROR")
        info = fluent_trace_infos.of(request.get_span_context().trace_id)
        values = [
            info.state,
            info.request_preview,
            info.response_preview,
            info.client_request_id,
        ]
        has_inputs = "mlflow.traceInputs" in info.metadata
        print(json.dumps([
            values, info.tags["desk"], info.metadata["release"], has_inputs
        ]))
        os._exit(0)
        """,
        fake_server,
    )
    assert info == ["ERROR", "the question", None, "request-1"]
    assert (tag, release, computed) == ("b", "7", False)


def test_the_number_of_remembered_traces_is_limited(monkeypatch):
    monkeypatch.setattr(_fluent_trace_info, "_MAX_TRACES", 1)
    infos = FluentTraceInfos()
    info = types.SimpleNamespace(
        state="OK",
        request_preview=None,
        response_preview=None,
        client_request_id=None,
        trace_metadata={},
        tags={},
    )
    for trace_id in (1, 2):
        infos.add(trace_id, info)
    assert infos.of(1) is None
    assert infos.of(2).state == "OK"


class Processor:
    def _update_trace_info(self, *arguments):
        return arguments


def test_an_unknown_trace_is_logged_once_and_not_remembered(caplog):
    module = types.ModuleType("mlflow.tracing.processor.base_mlflow")
    module.BaseMlflowSpanProcessor = type("Processor", (Processor,), {})
    _fluent_trace_info.patch_trace_info(module, lambda: True)
    for _ in range(2):
        assert module.BaseMlflowSpanProcessor()._update_trace_info(1, 2) == (1, 2)
    (message,) = caplog.messages
    assert message.startswith("What mlflow.update_current_trace sets may be replaced")


def test_a_missing_method_is_logged(caplog):
    module = types.ModuleType("mlflow.tracing.processor.base_mlflow")
    _fluent_trace_info.patch_trace_info(module, lambda: True)
    (message,) = caplog.messages
    assert "_update_trace_info" in message or "BaseMlflowSpanProcessor" in message
