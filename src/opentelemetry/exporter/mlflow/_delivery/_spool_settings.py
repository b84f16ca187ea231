"""The settings of the spool."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.exporter.mlflow._config import (
    parse_bytes,
    parse_seconds,
    read_setting,
)
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_SPOOL,
    OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE,
    OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES,
)

if TYPE_CHECKING:
    import os

    from opentelemetry.exporter.mlflow._config import Setting

_DEFAULT_MAX_BYTES: Final = 2**30
_DEFAULT_MAX_AGE_SECONDS: Final = 7 * 24 * 3600.0


class SpoolSettings(NamedTuple):
    folder: Path
    max_bytes: int
    max_age_seconds: float


def read_spool_settings(
    spool: str | os.PathLike[str] | None = None,
    max_bytes: int | None = None,
    max_age: float | None = None,
) -> SpoolSettings | None:
    """Return None if there is no spool.

    Raises ValueError if a setting is invalid, also if there is no spool.
    """
    settings = SpoolSettings(
        Path(),
        parse_bytes(
            read_setting(
                max_bytes, "spool_max_bytes", OTEL_EXPORTER_MLFLOW_SPOOL_MAX_BYTES
            ),
            _DEFAULT_MAX_BYTES,
        ),
        parse_seconds(
            read_setting(max_age, "spool_max_age", OTEL_EXPORTER_MLFLOW_SPOOL_MAX_AGE),
            _DEFAULT_MAX_AGE_SECONDS,
        ),
    )
    folder = read_setting(spool, "spool", OTEL_EXPORTER_MLFLOW_SPOOL)
    return settings._replace(folder=_parse_folder(folder)) if folder.value else None


def _parse_folder(setting: Setting) -> Path:
    """Return an absolute path, because the working directory may change.

    A folder that cannot be created now is not an error: the disk may be read-only for a
    while.
    """
    folder = Path(setting.value or "").expanduser().absolute()
    with suppress(PermissionError):
        path = next(filter(Path.exists, (folder, *folder.parents)), None)
        if path and not path.is_dir():
            raise ValueError(
                f"{setting.name} must be a folder on a local disk, which is created if "
                f"it does not exist; {path} is a file"
            )
    return folder
