"""Virtual environments with an MLflow server, one for each version.

Old servers need an old SQLAlchemy, which is no requirement of an application that sends
its traces to them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

# The folder of the environments, each named after its version.
_FOLDER_VARIABLE: Final = "MLFLOW_SERVERS"
# The first MLflow that starts with SQLAlchemy 2.0.45 and later.
_NEW_SQLALCHEMY: Final = (3, 9)


def client_version() -> str:
    """Returns the version of the installed MLflow."""
    return version("mlflow")


def server_python(mlflow_version: str) -> Path:
    """Returns the Python of the environment, which is created if it does not exist."""
    default = Path.home() / ".cache" / "opentelemetry-deepseek" / "mlflow-servers"
    environment = Path(os.environ.get(_FOLDER_VARIABLE) or default) / mlflow_version
    python = environment / "bin" / "python"
    # The command is what the installation adds last.
    if not (environment / "bin" / "mlflow").exists():
        requirements = [f"mlflow=={mlflow_version}"]
        if tuple(map(int, mlflow_version.split(".")[:2])) < _NEW_SQLALCHEMY:
            requirements.append("sqlalchemy<2.0.45")
        _uv("venv", "--clear", "--python", sys.executable, str(environment))
        _uv("pip", "install", "--python", str(python), *requirements)
    return python


def _uv(command: str, *arguments: str) -> None:
    subprocess.run(
        (sys.executable, "-m", "uv", command, "--quiet", *arguments), check=True
    )
