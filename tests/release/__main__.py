"""Lists what the wheel and all its extras install, with the licences.

`python -m tests.release FOLDER [WHEEL]` writes `sbom.cdx.json`, a bill of materials in
CycloneDX's format, and `licenses.md`. Without WHEEL it builds one. It fails if a
package has another licence than those below.
"""

from __future__ import annotations

import email
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Parts of the names of licences that allow any use of the unchanged packages.
LICENSES = "Apache;BSD;ISC;MIT;MPL;Mozilla;PSF;Python Software Foundation"


def main(folder: Path, wheel: Path | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        wheel = wheel or build_wheel(work)
        metadata = read_metadata(wheel)
        python = install(work, wheel, metadata.get_all("Provides-Extra", []))
        pyproject = work / "pyproject.toml"
        pyproject.write_text(with_version(metadata["Version"]), "utf-8")
        bill = folder / "sbom.cdx.json"
        run(
            *("cyclonedx-py", "environment", python, "--pyproject", pyproject),
            *("--mc-type", "library", "--output-reproducible", "-o", bill),
        )
        check_bill(bill, metadata)
        run(
            *("pip-licenses", "--python", python, "--format", "markdown"),
            *("--with-urls", "--output-file", folder / "licenses.md"),
            *("--allow-only", LICENSES, "--partial-match"),
        )


def build_wheel(folder: Path) -> Path:
    run("uv", "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def install(folder: Path, wheel: Path, extras: list[str]) -> Path:
    environment = folder / "environment"
    run("uv", "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    requirement = f"{wheel.resolve()}[{','.join(extras)}]"
    run("uv", "pip", "install", "--quiet", "--python", python, requirement)
    return python


def with_version(version: str) -> str:
    """Return pyproject.toml with a version that is not dynamic."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    static, count = re.subn(
        r'^dynamic = .*"version".*$', f'version = "{version}"', text, flags=re.MULTILINE
    )
    assert count == 1
    return static


def check_bill(file: Path, metadata: email.message.Message) -> None:
    bill = json.loads(file.read_text("utf-8"))
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == (metadata["Name"], metadata["Version"])
    (entry,) = (d for d in bill["dependencies"] if d["ref"] == root["bom-ref"])
    assert entry["dependsOn"]
    names = {component["name"] for component in bill["components"]}
    assert names >= {"anthropic", "databricks-sdk", "openai", "opentelemetry-sdk"}


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    main(arguments[0], arguments[1] if len(arguments) > 1 else None)
