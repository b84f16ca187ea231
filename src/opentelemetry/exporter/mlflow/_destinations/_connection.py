"""Credentials and TLS settings for an MLflow server, read as MLflow's client does."""

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
    """`verify` and `cert` mean what they mean to `requests`."""

    headers: dict[str, str]
    verify: bool | str
    cert: str | None


def connection_settings(uri: str) -> ConnectionSettings:
    """Read the settings for the server at `uri`.

    Raises ValueError if one is invalid; the message names the variable.
    """
    is_insecure = parse_boolean(
        _read_variable(env.MLFLOW_TRACKING_INSECURE_TLS), default=False
    )
    headers = {
        "Authorization": _authorization(uri),
        "X-MLFLOW-WORKSPACE": _header_value(env.MLFLOW_WORKSPACE),
    }
    return ConnectionSettings(
        {name: value for name, value in headers.items() if value},
        _pem_path(env.MLFLOW_TRACKING_SERVER_CERT_PATH) or not is_insecure,
        _pem_path(env.MLFLOW_TRACKING_CLIENT_CERT_PATH),
    )


def _authorization(uri: str) -> str:
    user, password = _user_and_password(uri)
    if user and password:
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        return f"Basic {credentials}"
    token = _header_value(env.MLFLOW_TRACKING_TOKEN)
    return f"Bearer {token}" if token else ""


def _user_and_password(uri: str) -> tuple[str | None, str | None]:
    parts = urlsplit(uri)
    if parts.username and parts.password:
        return unquote(parts.username), unquote(parts.password)
    file = _read_credentials_file()
    return (
        _read_variable(env.MLFLOW_TRACKING_USERNAME).value
        or file.get("mlflow", "mlflow_tracking_username", fallback=None),
        _read_variable(env.MLFLOW_TRACKING_PASSWORD).value
        or file.get("mlflow", "mlflow_tracking_password", fallback=None),
    )


def _read_credentials_file() -> configparser.ConfigParser:
    file = configparser.ConfigParser(interpolation=None)
    try:
        # The user of a container may not have a home directory.
        with suppress(RuntimeError):
            file.read(Path("~/.mlflow/credentials").expanduser(), "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        # The messages of these errors quote the file.
        raise ValueError(
            "~/.mlflow/credentials must have a section [mlflow] with "
            "mlflow_tracking_username and mlflow_tracking_password"
        ) from None
    return file


def _header_value(variable: str) -> str:
    value = _read_variable(variable).value or ""
    if not (value.isascii() and value.isprintable()):
        raise ValueError(
            f"{variable} must contain only printable ASCII characters, because it is "
            "sent in an HTTP header"
        )
    return value


def _pem_path(variable: str) -> str | None:
    path = _read_variable(variable).value
    if path is not None and not Path(path).exists():
        raise ValueError(
            f"{variable} must be the path of a PEM file; {path} does not exist"
        )
    return path


def _read_variable(variable: str) -> Setting:
    """Read a setting that has no argument."""
    return read_setting(None, "", variable)
