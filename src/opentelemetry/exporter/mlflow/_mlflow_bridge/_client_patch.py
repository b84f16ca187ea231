"""What MLflow's own client sends of a trace that we send, too, and whole.

A server and a store keep a span once, as it came last: there it comes with its parent.
Databricks keeps a file for a trace, or each span as it came: there what MLflow's client
knows of a trace would stand in place of the whole, or beside it.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/client.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wrapt import patch_function_wrapper

from opentelemetry.exporter.mlflow._mlflow_bridge._open_spans import begun, trace_id_of
from opentelemetry.exporter.mlflow._mlflow_bridge._parenting import around, is_evaluated
from opentelemetry.exporter.mlflow._replace_span import replace_span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from opentelemetry.sdk.trace import ReadableSpan


def see_to_it(
    client: ModuleType,
    is_ours: Callable[[str], bool],
    give_up: Callable[[Exception], None],
) -> None:
    """Patches two methods of its `TracingClient`, one of them private.

    `is_ours` tells whether an exporter of ours writes to a tracking URI. Raises
    AttributeError.
    """

    def spans_logged(
        wrapped: Callable[..., Any], of: Any, args: Any, kwargs: Any
    ) -> Any:
        def log_spans(location: str, spans: Sequence[Any], **more: Any) -> Any:
            try:
                if is_ours(of.tracking_uri):
                    spans = _left_to_it(of, spans)
            except Exception as error:  # noqa: BLE001  # MLflow's spans are to go
                give_up(error)
            return wrapped(location, spans, **more) if spans else spans

        return log_spans(*args, **kwargs)

    def trace_uploaded(
        wrapped: Callable[..., Any], of: Any, args: Any, kwargs: Any
    ) -> Any:
        def upload(trace_info: Any, trace_data: Any, **more: Any) -> Any:
            try:
                spans = trace_data.spans
                if is_ours(of.tracking_uri) and not _left_to_it(of, spans):
                    return None
            except Exception as error:  # noqa: BLE001  # as above
                give_up(error)
            return wrapped(trace_info, trace_data, **more)

        return upload(*args, **kwargs)

    patch_function_wrapper(client, "TracingClient.log_spans")(spans_logged)
    patch_function_wrapper(client, "TracingClient._upload_trace_data")(trace_uploaded)


def _left_to_it(client: Any, spans: Sequence[Any]) -> list[Any]:
    keeps_all = _keeps_all(client)
    return [
        _with_parent(span)
        for span in spans
        if not keeps_all or not begun.count(_trace_id(span))
    ]


def _keeps_all(client: Any) -> bool:
    """An evaluation reads its traces at once, and cannot wait for ours."""
    return client.tracking_uri.startswith("databricks") and not is_evaluated()


def _with_parent(span: Any) -> Any:
    if (parent := around(_made(span))) is None:
        return span
    from mlflow.entities import Span

    return Span(replace_span(_made(span), parent=parent))


def _trace_id(span: Any) -> int:
    return trace_id_of(_made(span))


def _made(span: Any) -> ReadableSpan:
    """MLflow's entity has it for itself, but its context is nowhere else."""
    made: ReadableSpan = span._span  # noqa: SLF001  # see above
    return made
