"""Finds the collector binary, or builds it from collector/builder-config.yaml."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

CONFIG_FOLDER: Final = Path(__file__).parents[2] / "collector"
BUILDER_CONFIG: Final = CONFIG_FOLDER / "builder-config.yaml"
INSTALL_HINT: Final = (
    "There is no OpenTelemetry Collector. Run `tox run -e otelcol` to build one (needs "
    "Go), set OTELCOL to the path of one, or put otelcol-contrib on PATH."
)


class CollectorError(RuntimeError):
    """The collector is missing or does not start.

    The message ends with the output of the failed program.
    """


def find_collector() -> Path | None:
    """Returns the program that `OTELCOL` names, the collector built by
    `build_collector`, or `otelcol-contrib` from PATH, in this order.

    Raises CollectorError if `OTELCOL` names a program that does not exist.
    """
    if name := os.environ.get("OTELCOL"):
        program = shutil.which(name)
        if program is None:
            raise CollectorError(f"OTELCOL={name}: this program does not exist")
        return Path(program)
    if (binary := _cached_binary()).exists():
        return binary
    contrib = shutil.which("otelcol-contrib")
    return Path(contrib) if contrib else None


def build_collector() -> Path:
    """Builds the collector and caches it. The first build takes some minutes.

    Raises CollectorError if Go is missing or the build fails.
    """
    binary = _cached_binary()
    if binary.exists():
        return binary
    if not shutil.which("go"):
        raise CollectorError("Go is not on PATH")
    manifest = BUILDER_CONFIG.read_text()
    version = re.search(r"^  version: (\S+)$", manifest, re.MULTILINE)
    assert version  # noqa: S101  # the manifest is part of this repository
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        config = Path(folder) / BUILDER_CONFIG.name
        config.write_text(
            manifest.replace("dist:\n", f"dist:\n  output_path: {folder}\n", 1)
        )
        process = subprocess.run(
            [
                # The builder of the same version as the collector.
                *(
                    "go",
                    "run",
                    f"go.opentelemetry.io/collector/cmd/builder@v{version[1]}",
                ),
                # Omitting debug information halves the size.
                *("--ldflags", "-s -w", "--config", str(config)),
            ],
            env=os.environ | {"CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise CollectorError("\n".join(process.stderr.splitlines()[-20:]))
        # An atomic rename: a concurrent build never leaves an incomplete file.
        (Path(folder) / "otelcol").replace(binary)
    return binary


def _cached_binary() -> Path:
    """Returns the path of the built collector, which depends on the manifest."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    digest = hashlib.sha256(BUILDER_CONFIG.read_bytes()).hexdigest()[:16]
    return Path(cache, "opentelemetry-instrumentation-deepseek", f"otelcol-{digest}")
