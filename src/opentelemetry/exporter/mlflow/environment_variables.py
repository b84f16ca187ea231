"""The settings of the MLflow exporter.

`MLFLOW_*` are MLflow's own and mean here what they mean to MLflow's client;
`OTEL_EXPORTER_MLFLOW_*` are ours. All are read when the exporter is made, and an
argument goes before its variable. Where neither names an MLflow or an experiment, what
the application tells `mlflow` counts: `set_tracking_uri` and `set_experiment`, from the
first export after; what was named once stays.
"""

from __future__ import annotations

from typing import Final

MLFLOW_TRACKING_URI: Final = "MLFLOW_TRACKING_URI"
"""
.. envvar:: MLFLOW_TRACKING_URI

Where MLflow is: a server (`http://localhost:5000`, `https://host/prefix`); a local
store (`sqlite:///mlflow.db`, `postgresql://…`, `mysql+pymysql://…`), which needs the
full `mlflow` package and the database's driver; or `databricks`, or
`databricks://profile`, which needs `databricks-sdk`. Default: what
`mlflow.set_tracking_uri` said, else `sqlite:///mlflow.db`, as in MLflow.
"""

MLFLOW_EXPERIMENT_ID: Final = "MLFLOW_EXPERIMENT_ID"
"""
.. envvar:: MLFLOW_EXPERIMENT_ID

The experiment new traces belong to, by its number. It goes before
`MLFLOW_EXPERIMENT_NAME`. Default: what `mlflow.set_experiment` said, else `0`, the
experiment called "Default".
"""

MLFLOW_EXPERIMENT_NAME: Final = "MLFLOW_EXPERIMENT_NAME"
"""
.. envvar:: MLFLOW_EXPERIMENT_NAME

The experiment new traces belong to, by its name; created at the first export if there
is none. In Databricks a path of the workspace, such as `/Shared/agents`.
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

OTEL_EXPORTER_MLFLOW_ENDPOINT: Final = "OTEL_EXPORTER_MLFLOW_ENDPOINT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_ENDPOINT

Base address of an OTLP/HTTP receiver that hands spans on to MLflow, such as a
collector's (`http://localhost:4319`; `/v1/traces` is appended). Where it is set spans
go there instead of to `MLFLOW_TRACKING_URI`, and the collector says into which
experiment. Default: none.
"""

OTEL_EXPORTER_MLFLOW_HEADERS: Final = "OTEL_EXPORTER_MLFLOW_HEADERS"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_HEADERS

Headers for that receiver, such as `authorization=Bearer%20…`, in the form of
`OTEL_EXPORTER_OTLP_HEADERS`. Default: none.
"""

OTEL_EXPORTER_MLFLOW_CERTIFICATE: Final = "OTEL_EXPORTER_MLFLOW_CERTIFICATE"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_CERTIFICATE

PEM file of the authorities that the receiver's certificate is checked against.
Default: those of the machine.
"""

OTEL_EXPORTER_MLFLOW_TIMEOUT: Final = "OTEL_EXPORTER_MLFLOW_TIMEOUT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_TIMEOUT

Seconds one request to an MLflow server may take, its retries included; to Databricks,
one try. Default: `30`, for a server may fetch a price list while it takes the first
spans in.
"""

OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT: Final = (
    "OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT"
)
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT

`true`: a span whose parent is in another process is the root of its trace in MLflow,
which otherwise waits for ever for the root. `false` where that process exports to the
same MLflow: the trace is one tree, with that process's name and state. The question and
the answer that its list shows are known here alone; they go there when that root has
come, for which an MLflow server is asked, for up to ten minutes. With `true` such a
trace has two roots: its state is that of the first to come, its name that of the last.
Default: `true`.
"""

OTEL_EXPORTER_MLFLOW_PRICES: Final = "OTEL_EXPORTER_MLFLOW_PRICES"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_PRICES

Path of a list of DeepSeek's prices (TOML, in the form of the `prices.toml` in this
package), for what became of them after this release, or for who else takes them: a
model that it names is priced by it alone; its `hosts` come on top of `*.deepseek.com`
and of the hosts that `OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS` names. Default: the list in
this package.
"""

OTEL_EXPORTER_MLFLOW_REDACT: Final = "OTEL_EXPORTER_MLFLOW_REDACT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_REDACT

`package.module:function`: a function that sees what goes to MLflow before it goes, and
gives back what may go. It is called with the attributes of a span as MLflow gets them
(a dict; what was said stands under `mlflow.spanInputs` and `mlflow.spanOutputs`, as
JSON), once more for those of each of its events, and with `{"exception.message": …}`
for the description of its status. Where it raises, only what is known to be no content
goes. It runs where spans are exported, and must be safe to call from several threads.
Default: none.
"""

OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK: Final = (
    "OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK"
)
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK

With `OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=mlflow`, which takes one name: the hook
that is called after ours, such as `upload`. Default: none.
"""
