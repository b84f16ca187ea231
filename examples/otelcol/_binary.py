"""Where the collector is, and how it is built."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

CONFIGURATIONS: Final = Path(__file__).parents[2] / "collector"
MANIFEST: Final = CONFIGURATIONS / "builder-config.yaml"
HOW_TO_GET_IT: Final = (
    "no OpenTelemetry Collector: `tox run -e otelcol` builds one where Go is, "
    "OTELCOL=path names one, and otelcol-contrib on PATH will do"
)


class CollectorError(RuntimeError):
    """No collector, or none that runs; the message ends with what it said."""


def found() -> Path | None:
    """What `OTELCOL` names, what `build` made, or an `otelcol-contrib` on PATH.

    Raises CollectorError where `OTELCOL` names none.
    """
    if named := os.environ.get("OTELCOL"):
        program = shutil.which(named)
        if program is None:
            raise CollectorError(f"OTELCOL={named}: there is no such program")
        return Path(program)
    if (built := _cached()).exists():
        return built
    contrib = shutil.which("otelcol-contrib")
    return Path(contrib) if contrib else None


def build() -> Path:
    """Builds it with the builder of its own version; some minutes, the first time.

    Raises CollectorError.
    """
    built = _cached()
    if built.exists():
        return built
    if not shutil.which("go"):
        raise CollectorError("Go is not on PATH")
    manifest = MANIFEST.read_text()
    version = re.search(r"^  version: (\S+)$", manifest, re.MULTILINE)
    assert version  # noqa: S101  # in this repository
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        config = Path(folder) / MANIFEST.name
        config.write_text(
            manifest.replace("dist:\n", f"dist:\n  output_path: {folder}\n", 1)
        )
        ended = subprocess.run(
            [
                *(
                    "go",
                    "run",
                    f"go.opentelemetry.io/collector/cmd/builder@v{version[1]}",
                ),
                # Without debug information: half the size.
                *("--ldflags", "-s -w", "--config", str(config)),
            ],
            env=os.environ | {"CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise CollectorError("\n".join(ended.stderr.splitlines()[-20:]))
        # Whole or not at all, whoever else builds it now.
        (Path(folder) / "otelcol").replace(built)
    return built


def _cached() -> Path:
    """Another manifest, another collector."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    digest = hashlib.sha256(MANIFEST.read_bytes()).hexdigest()[:16]
    return Path(cache, "opentelemetry-instrumentation-deepseek", f"otelcol-{digest}")
