"""What an answer of MLflow means, and what to do about it."""

from __future__ import annotations

from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

_CREDENTIALS = (
    "Check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
    "or MLFLOW_TRACKING_TOKEN"
)
_ADDRESS = (
    "Check that MLFLOW_TRACKING_URI is the address of an MLflow server, 3.14 or newer, "
    "with its path prefix if it has one"
)
_PERMISSION = (
    "Check the user's permission on the experiment, and that the server was started "
    "with --allowed-hosts for the host in MLFLOW_TRACKING_URI"
)

_MEANINGS = {
    401: ("it wants other credentials", _CREDENTIALS),
    403: ("it does not permit this", _PERMISSION),
    404: ("it has no such page", _ADDRESS),
    405: ("it does not take spans there", _ADDRESS),
    407: ("a proxy wants credentials", "Check HTTPS_PROXY and HTTP_PROXY"),
    429: ("it is asked too often", "Sample, or raise OTEL_BSP_SCHEDULE_DELAY"),
    501: (
        "it keeps traces where spans cannot be added",
        "Start it with --backend-store-uri sqlite:///… or another database",
    ),
}

# A request is refused as a whole for one span that MLflow cannot take.
BECAUSE_OF_SPANS = (400, 413, 422)


def refusal(
    status: int, error_code: str, experiment: str, *, of_spans: bool
) -> ExportError:
    """`error_code` is MLflow's own word for it, or ""."""
    said = f"{status} {error_code}".strip()
    if of_spans and status in BECAUSE_OF_SPANS:
        return ExportError(
            f"it refuses some of them ({said})",
            "Its own log has the reason; the others of the batch go without them",
            is_divisible=True,
        )
    if error_code == "RESOURCE_DOES_NOT_EXIST":
        return ExportError(
            f"there is no experiment {experiment} ({said})",
            "Set MLFLOW_EXPERIMENT_ID to one that exists, or MLFLOW_EXPERIMENT_NAME, "
            "which is created when it is missing",
        )
    if status < 400:  # noqa: PLR2004  # a redirection, or a web page
        return ExportError(
            f"the address leads elsewhere ({said})",
            "Set MLFLOW_TRACKING_URI to where MLflow itself answers (https instead of "
            "http?), past a login page; redirections are not followed",
        )
    meaning, advice = _MEANINGS.get(status, ("it fails", "Its own log says why"))
    return ExportError(f"{meaning} ({said})", advice)
