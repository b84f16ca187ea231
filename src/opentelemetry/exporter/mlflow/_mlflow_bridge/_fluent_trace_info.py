"""Remembers what the program has set on the traces of `@mlflow.trace`.

`mlflow.update_current_trace` sets tags, metadata, previews, state and the id of the
client's request. MLflow's client writes them by itself. An exporter that writes the
TraceInfo of the same trace later, as it does to old servers, must repeat them, or it
replaces them by what it computes from the spans.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/processor/base_mlflow.py
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from wrapt import patch_function_wrapper

from opentelemetry.exporter.mlflow._mlflow_bridge._missing_names import (
    log_missing_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_Previews = tuple[str | None, str | None]

_MAX_TRACES = 10_000
# What MLflow's client computes from its own spans, which are not all of the trace.
_COMPUTED_METADATA = frozenset(
    {
        "mlflow.traceInputs",
        "mlflow.traceOutputs",
        "mlflow.trace.cost",
        "mlflow.trace.sizeBytes",
        "mlflow.trace.sizeStats",
        "mlflow.trace.tokenUsage",
    }
)


class FluentTraceInfo(NamedTuple):
    """The TraceInfo of MLflow's client.

    The previews are None unless the program has set them.
    """

    state: str
    request_preview: str | None
    response_preview: str | None
    client_request_id: str | None
    metadata: dict[str, str]
    tags: dict[str, str]


class FluentTraceInfos:
    """Of the last traces, by trace id. There is one instance for each process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        # A TraceInfo for each root of MLflow's, and its previews when the root ended.
        # MLflow computes the other previews and writes them to the same object later.
        self._infos: OrderedDict[int, list[tuple[Any, _Previews]]] = OrderedDict()

    def add(self, trace_id: int, info: Any) -> None:
        """Add the TraceInfo of a root span that ends."""
        previews = (info.request_preview, info.response_preview)
        with self._lock:
            self._infos.setdefault(trace_id, []).append((info, previews))
            if len(self._infos) > _MAX_TRACES:
                self._infos.popitem(last=False)

    def of(self, trace_id: int) -> FluentTraceInfo | None:
        """None if no root span of MLflow's has ended in the trace.

        In a trace with several, the last one counts.
        """
        with self._lock:
            items = list(self._infos.get(trace_id, ()))
        if not items:
            return None
        state, client_request_id = "", None
        request_preview, response_preview = None, None
        metadata: dict[str, str] = {}
        tags: dict[str, str] = {}
        for info, previews in items:
            state = str(getattr(info.state, "value", info.state))
            client_request_id = info.client_request_id or client_request_id
            request_preview = previews[0] or request_preview
            response_preview = previews[1] or response_preview
            metadata |= info.trace_metadata
            tags |= info.tags
        return FluentTraceInfo(
            state,
            request_preview,
            response_preview,
            client_request_id,
            {
                name: value
                for name, value in metadata.items()
                if name not in _COMPUTED_METADATA
            },
            tags,
        )


fluent_trace_infos = FluentTraceInfos()


def patch_trace_info(module: ModuleType, is_active: Callable[[], bool]) -> None:
    """Patch what completes the TraceInfo: a private method, there is no public one.

    MLflow's exporter computes the previews that are not set later than that.
    """
    consequence = (
        "What mlflow.update_current_trace sets may be replaced in traces that are "
        "exported to an old MLflow server"
    )

    def update_trace_info(
        wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        result = wrapped(*args, **kwargs)
        if is_active():
            try:
                trace, root_span = args
                fluent_trace_infos.add(root_span.context.trace_id, trace.info)
            except Exception as error:  # noqa: BLE001  # MLflow's span must end
                log_missing_name(consequence, error)
        return result

    try:
        patch_function_wrapper(module, "BaseMlflowSpanProcessor._update_trace_info")(
            update_trace_info
        )
    except AttributeError as error:
        log_missing_name(consequence, error)
