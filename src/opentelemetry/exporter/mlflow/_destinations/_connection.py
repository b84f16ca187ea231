"""Who we are to an MLflow server, and how we know that it is the one."""

from __future__ import annotations

import base64
import configparser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._config import parse_boolean, read_setting

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting


class ConnectionSettings(NamedTuple):
    headers: dict[str, str]
    verify: bool | str
    cert: str | None


def connection_settings(uri: str) -> ConnectionSettings:
    """As MLflow's client has them. Raises ValueError, with the name of the variable."""
    insecure = parse_boolean(_set(env.MLFLOW_TRACKING_INSECURE_TLS), default=False)
    headers = {
        "Authorization": _authorization(uri),
        "X-MLFLOW-WORKSPACE": _sendable(env.MLFLOW_WORKSPACE),
    }
    return ConnectionSettings(
        {name: value for name, value in headers.items() if value},
        _file(env.MLFLOW_TRACKING_SERVER_CERT_PATH) or not insecure,
        _file(env.MLFLOW_TRACKING_CLIENT_CERT_PATH),
    )


def _authorization(uri: str) -> str:
    user, password = _user(uri)
    if user and password:
        both = base64.b64encode(f"{user}:{password}".encode()).decode()
        return f"Basic {both}"
    token = _sendable(env.MLFLOW_TRACKING_TOKEN)
    return f"Bearer {token}" if token else ""


def _user(uri: str) -> tuple[str | None, str | None]:
    parts = urlsplit(uri)
    if parts.username and parts.password:
        return unquote(parts.username), unquote(parts.password)
    file = _credentials_file()
    return (
        _set(env.MLFLOW_TRACKING_USERNAME).value
        or file.get("mlflow", "mlflow_tracking_username", fallback=None),
        _set(env.MLFLOW_TRACKING_PASSWORD).value
        or file.get("mlflow", "mlflow_tracking_password", fallback=None),
    )


def _credentials_file() -> configparser.ConfigParser:
    file = configparser.ConfigParser(interpolation=None)
    try:
        # The user of a container may have no home.
        with suppress(RuntimeError):
            file.read(Path("~/.mlflow/credentials").expanduser(), "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        # Their texts quote the file.
        raise ValueError(
            "~/.mlflow/credentials takes a section [mlflow] with "
            "mlflow_tracking_username and mlflow_tracking_password"
        ) from None
    return file


def _sendable(variable: str) -> str:
    value = _set(variable).value or ""
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{variable} takes printable ASCII, as HTTP headers do")
    return value


def _file(variable: str) -> str | None:
    path = _set(variable).value
    if path is not None and not Path(path).exists():
        raise ValueError(f"{variable} takes the path of a PEM file; no file is {path}")
    return path


def _set(variable: str) -> Setting:
    """Who we are is said in the environment alone."""
    return read_setting(None, "", variable)
