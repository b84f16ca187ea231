"""Environment variables of the MLflow exporter.

`MLFLOW_*` variables are MLflow's own and have the same meaning as in MLflow's client.
The exporter adds `OTEL_EXPORTER_MLFLOW_*`. All are read when the exporter is
constructed, and an argument takes precedence over its variable. If neither selects a
tracking URI or an experiment, each export looks for those that the application has set
with `mlflow.set_tracking_uri` and `mlflow.set_experiment`. The first value stays; later
changes are ignored and logged.
"""

from __future__ import annotations

from typing import Final

MLFLOW_TRACKING_URI: Final = "MLFLOW_TRACKING_URI"
"""
.. envvar:: MLFLOW_TRACKING_URI

A server (`http://localhost:5000`, `https://host/prefix`); a local store
(`sqlite:///mlflow.db`, `postgresql://…`, `mysql+pymysql://…`), which needs the full
`mlflow` package and the driver of the database; or `databricks` or
`databricks://profile`, which needs `databricks-sdk`. Default: the value of
`mlflow.set_tracking_uri`, otherwise `sqlite:///mlflow.db`, as in MLflow.
"""

MLFLOW_EXPERIMENT_ID: Final = "MLFLOW_EXPERIMENT_ID"
"""
.. envvar:: MLFLOW_EXPERIMENT_ID

The number of the experiment for new traces. Takes precedence over
`MLFLOW_EXPERIMENT_NAME`. Default: the experiment of `mlflow.set_experiment`, otherwise
`0`, the experiment "Default".
"""

MLFLOW_EXPERIMENT_NAME: Final = "MLFLOW_EXPERIMENT_NAME"
"""
.. envvar:: MLFLOW_EXPERIMENT_NAME

The name of the experiment for new traces. It is created at the first export if it does
not exist. In Databricks a path of the workspace, for example `/Shared/agents`.
"""

MLFLOW_TRACKING_USERNAME: Final = "MLFLOW_TRACKING_USERNAME"
"""
.. envvar:: MLFLOW_TRACKING_USERNAME

User for basic authentication, with `MLFLOW_TRACKING_PASSWORD`. Default: the user in
`~/.mlflow/credentials`.
"""

MLFLOW_TRACKING_PASSWORD: Final = "MLFLOW_TRACKING_PASSWORD"  # noqa: S105  # a name
"""
.. envvar:: MLFLOW_TRACKING_PASSWORD

Password for basic authentication. Default: the password in `~/.mlflow/credentials`.
"""

MLFLOW_TRACKING_TOKEN: Final = "MLFLOW_TRACKING_TOKEN"  # noqa: S105  # a name
"""
.. envvar:: MLFLOW_TRACKING_TOKEN

Bearer token, read if there are no user and password.
"""

MLFLOW_WORKSPACE: Final = "MLFLOW_WORKSPACE"
"""
.. envvar:: MLFLOW_WORKSPACE

A workspace, if the server has workspaces.
"""

MLFLOW_TRACKING_SERVER_CERT_PATH: Final = "MLFLOW_TRACKING_SERVER_CERT_PATH"
"""
.. envvar:: MLFLOW_TRACKING_SERVER_CERT_PATH

PEM file or directory of the authorities that sign the server's certificate. Default:
those of the machine.
"""

MLFLOW_TRACKING_CLIENT_CERT_PATH: Final = "MLFLOW_TRACKING_CLIENT_CERT_PATH"
"""
.. envvar:: MLFLOW_TRACKING_CLIENT_CERT_PATH

PEM file with the client's certificate and key.
"""

MLFLOW_TRACKING_INSECURE_TLS: Final = "MLFLOW_TRACKING_INSECURE_TLS"
"""
.. envvar:: MLFLOW_TRACKING_INSECURE_TLS

`true` to accept any certificate of the server. Default: `false`.
"""

OTEL_EXPORTER_MLFLOW_ENDPOINT: Final = "OTEL_EXPORTER_MLFLOW_ENDPOINT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_ENDPOINT

Base address of an OTLP/HTTP receiver that forwards spans to MLflow, such as a collector
(`http://localhost:4319`). The exporter appends `/v1/traces`. Spans go there instead of
to `MLFLOW_TRACKING_URI`, and the receiver chooses the experiment. Default: none.
"""

OTEL_EXPORTER_MLFLOW_HEADERS: Final = "OTEL_EXPORTER_MLFLOW_HEADERS"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_HEADERS

Headers for the receiver, for example `authorization=Bearer%20…`, in the format of
`OTEL_EXPORTER_OTLP_HEADERS`. Default: none.
"""

OTEL_EXPORTER_MLFLOW_CERTIFICATE: Final = "OTEL_EXPORTER_MLFLOW_CERTIFICATE"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_CERTIFICATE

PEM file of the authorities that sign the receiver's certificate. Default: those of the
machine.
"""

OTEL_EXPORTER_MLFLOW_TIMEOUT: Final = "OTEL_EXPORTER_MLFLOW_TIMEOUT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_TIMEOUT

Seconds for one export to an MLflow server. For Databricks, seconds for one request.
Spans that are not accepted by then wait in the buffer. Default: `10`, because a server
may need 8 seconds to fetch a price list when it accepts the first spans.
"""

OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES: Final = "OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES

Bytes of memory for spans that MLflow did not accept yet. They are sent when it accepts
spans again. If the buffer is full, the oldest spans are dropped and counted. Default:
`67108864` (64 MiB).
"""

OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT: Final = (
    "OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT"
)
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT

`true`: a span whose parent is in another process becomes the root of its trace in
MLflow. Without a root, MLflow shows the trace as in progress.

`false`: use it if the other process exports to the same MLflow. The trace is then one
tree with one root, and has the name and state of that root. Only this process knows the
question and the answer that MLflow's list of traces shows. It sends them after the root
has arrived, and asks the MLflow server for it for up to 10 minutes. With `true` such a
trace has two roots: its state is that of the first root to arrive, and its name that of
the last.

Default: `true`.
"""

OTEL_EXPORTER_MLFLOW_PRICES: Final = "OTEL_EXPORTER_MLFLOW_PRICES"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_PRICES

Path of a TOML file with DeepSeek's prices, in the format of `prices.toml` in this
package, for prices that changed after this release, or for other hosts that charge
them. Its prices of a model replace all prices of that model in the package. Its `hosts`
are added to `*.deepseek.com` and to those in `OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS`.
Default: the list in this package.
"""

OTEL_EXPORTER_MLFLOW_SPOOL: Final = "OTEL_EXPORTER_MLFLOW_SPOOL"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_SPOOL

A folder on a local disk, where spans wait until MLflow has accepted them. They survive
the end of the program, and are sent in the background, the oldest first, also by the
next program that has the same folder and destination. Several processes may use the
folder. It contains what is sent to MLflow, after redaction, in files that only their
owner can read. Default: none, spans wait in memory.
"""

OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES: Final = "OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES

The number of bytes of all spans in the spool. If it is full, the oldest are dropped.
Default: `1073741824`, 1 GiB.
"""

OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE: Final = "OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE

Seconds after which spans in the spool are dropped. Default: `604800`, 7 days.
"""

OTEL_EXPORTER_MLFLOW_REDACT: Final = "OTEL_EXPORTER_MLFLOW_REDACT"
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_REDACT

`package.module:function`, a function that takes attributes before they are sent to
MLflow, and returns the attributes to send. It is called with

- the attributes of a span in MLflow's form, a dict; prompts and answers are JSON in
  `mlflow.spanInputs` and `mlflow.spanOutputs`;
- the attributes of each event of the span;
- `{"exception.message": …}` with the description of the span's status.

If it raises, only attributes that cannot contain message content are sent. It runs
where spans are exported, and must be safe to call from several threads. Default: none.
"""

OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK: Final = (
    "OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK"
)
"""
.. envvar:: OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK

The completion hook that is called after `mlflow`, for example `upload`. Used with
`OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=mlflow`, which takes one name only. Default:
none.
"""
