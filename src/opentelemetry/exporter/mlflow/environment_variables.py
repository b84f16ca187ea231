"""The settings of the MLflow exporter.

`MLFLOW_*` are MLflow's own and mean here what they mean to MLflow's client;
`OTEL_EXPORTER_MLFLOW_*` are ours. All are read when the exporter is made, and an
argument goes before its variable.
"""

from __future__ import annotations

from typing import Final

MLFLOW_TRACKING_URI: Final = "MLFLOW_TRACKING_URI"
"""
.. envvar:: MLFLOW_TRACKING_URI

Where MLflow is: a server (`http://localhost:5000`, `https://host/prefix`) or a local
store (`sqlite:///mlflow.db`, `postgresql://…`, `mysql://…`), which needs the full
`mlflow` package. Default: `sqlite:///mlflow.db`, as in MLflow.
"""

MLFLOW_EXPERIMENT_ID: Final = "MLFLOW_EXPERIMENT_ID"
"""
.. envvar:: MLFLOW_EXPERIMENT_ID

The experiment new traces belong to, by its number. It goes before
`MLFLOW_EXPERIMENT_NAME`. Default: `0`, the experiment called "Default".
"""

MLFLOW_EXPERIMENT_NAME: Final = "MLFLOW_EXPERIMENT_NAME"
"""
.. envvar:: MLFLOW_EXPERIMENT_NAME

The experiment new traces belong to, by its name; created at the first export if there
is none.
"""

MLFLOW_TRACKING_USERNAME: Final = "MLFLOW_TRACKING_USERNAME"
"""
.. envvar:: MLFLOW_TRACKING_USERNAME

User for basic authentication, with `MLFLOW_TRACKING_PASSWORD`. Default: what
`~/.mlflow/credentials` says.
"""

MLFLOW_TRACKING_PASSWORD: Final = "MLFLOW_TRACKING_PASSWORD"  # noqa: S105  # a name
"""
.. envvar:: MLFLOW_TRACKING_PASSWORD

Password for basic authentication.
"""

MLFLOW_TRACKING_TOKEN: Final = "MLFLOW_TRACKING_TOKEN"  # noqa: S105  # a name
"""
.. envvar:: MLFLOW_TRACKING_TOKEN

Bearer token; read if there is no user and password.
"""

MLFLOW_WORKSPACE: Final = "MLFLOW_WORKSPACE"
"""
.. envvar:: MLFLOW_WORKSPACE

Workspace of the server, where it has workspaces.
"""

MLFLOW_TRACKING_SERVER_CERT_PATH: Final = "MLFLOW_TRACKING_SERVER_CERT_PATH"
"""
.. envvar:: MLFLOW_TRACKING_SERVER_CERT_PATH

PEM file (or directory) of the authorities that the server's certificate is checked
against.
"""

MLFLOW_TRACKING_CLIENT_CERT_PATH: Final = "MLFLOW_TRACKING_CLIENT_CERT_PATH"
"""
.. envvar:: MLFLOW_TRACKING_CLIENT_CERT_PATH

PEM file with the client's certificate and key.
"""

MLFLOW_TRACKING_INSECURE_TLS: Final = "MLFLOW_TRACKING_INSECURE_TLS"
"""
.. envvar:: MLFLOW_TRACKING_INSECURE_TLS

`true`: the server's certificate is not checked. Default: `false`.
"""

OTEL_EXPORTER_MLFLOW_TIMEOUT: Final = "OTEL_EXPORTER_MLFLOW_TIMEOUT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_TIMEOUT

Seconds one request to an MLflow server may take, its retries included. Default: `30`,
for a server may fetch a price list while it takes the first spans in.
"""

OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT: Final = (
    "OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT"
)
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT

`true`: a span whose parent is in another process is the root of its trace in MLflow,
which otherwise waits for ever for the root. `false` where that process exports to the
same MLflow. Default: `true`.
"""
