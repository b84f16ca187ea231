"""Translates an error response of MLflow into an ExportError."""

from __future__ import annotations

from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

_CREDENTIALS_ADVICE = (
    "Check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
    "or MLFLOW_TRACKING_TOKEN"
)
_URI_ADVICE = (
    "Check that MLFLOW_TRACKING_URI is the URL of an MLflow server, version 3.1 or "
    "newer, including its path prefix if it has one"
)
_PERMISSION_ADVICE = (
    "Check the user's permission on the experiment, and that the server was started "
    "with --allowed-hosts for the host in MLFLOW_TRACKING_URI"
)
_LOG_ADVICE = "See MLflow's log for the reason"

_CAUSES_AND_ADVICE = {
    401: ("MLflow requires valid credentials", _CREDENTIALS_ADVICE),
    403: ("MLflow denies permission", _PERMISSION_ADVICE),
    404: ("the server does not have this path", _URI_ADVICE),
    405: ("the server does not accept spans at this path", _URI_ADVICE),
    407: ("the proxy requires credentials", "Check HTTPS_PROXY and HTTP_PROXY"),
    429: (
        "MLflow limits the rate of requests",
        "Sample, or increase OTEL_BSP_SCHEDULE_DELAY",
    ),
    501: (
        "MLflow's trace store does not accept spans",
        "Start the server with --backend-store-uri sqlite:///… or another database",
    ),
}

# The address leads to something else, or to an MLflow server without this path.
WRONG_PATH_STATUSES = (200, 404, 405)

# MLflow rejects a whole request because of one span that it cannot accept. An internal
# error, and an entity that it cannot process, may be gone at the next try: a database
# that is locked is one, too.
SPAN_ERROR_STATUSES = (400, 413, 422, 500)
TEMPORARY_ERROR_STATUSES = (422, 500)


def export_error_from_response(
    status: int, error_code: str, experiment: str, *, is_span_request: bool
) -> ExportError:
    """Return the error to raise for a response.

    `error_code` is MLflow's error code, or "". `experiment` is its label.
    `is_span_request` tells requests with spans from requests about experiments and
    traces.
    """
    status_text = f"{status} {error_code}".strip()
    if is_span_request and status == 500:  # noqa: PLR2004  # Internal Server Error
        return ExportError(
            f"the request failed ({status_text})", _LOG_ADVICE, is_divisible=True
        )
    if is_span_request and status in SPAN_ERROR_STATUSES:
        return ExportError(
            f"MLflow rejects some of the spans ({status_text})",
            f"{_LOG_ADVICE}; the other spans of the batch are sent without them",
            is_divisible=True,
            is_temporary=status in TEMPORARY_ERROR_STATUSES,
        )
    if error_code == "RESOURCE_DOES_NOT_EXIST":
        return ExportError(
            f"experiment {experiment} does not exist ({status_text})",
            "Set MLFLOW_EXPERIMENT_ID to an existing experiment, or "
            "MLFLOW_EXPERIMENT_NAME, which is created if it does not exist",
        )
    if status < 400:  # noqa: PLR2004  # a redirect, or a web page
        return ExportError(
            f"the response does not come from MLflow ({status_text})",
            "Set MLFLOW_TRACKING_URI to the URL where MLflow itself responds (https "
            "instead of http?), not to a login page; redirects are not followed",
        )
    cause, advice = _CAUSES_AND_ADVICE.get(status, ("the request failed", _LOG_ADVICE))
    return ExportError(f"{cause} ({status_text})", advice)
