"""Downloads the source archive of a client and unpacks its tests."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def download(distribution: str, version: str, folder: Path) -> Path:
    """Unpacks the newest release that matches `version`, for example `3.*`.

    Returns the folder `<distribution>-<version>` in `folder`.
    """
    archives = folder / f"{distribution} {version}".replace("*", "x")
    # --no-binary is limited to the client: its build requirements may be wheels.
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(archives))
    subprocess.run(
        (*pip, "--no-deps", "--no-binary", distribution, f"{distribution}=={version}"),
        check=True,
    )
    archive = max(
        archives.glob(f"{distribution}-*.tar.gz"), key=lambda a: a.stat().st_mtime
    )
    match = re.fullmatch(rf"({re.escape(distribution)}-.+)\.tar\.gz", archive.name)
    assert match is not None
    unpacked = folder / match[1]
    if not unpacked.exists():
        _unpack(archive, distribution, folder)
    return unpacked


def _unpack(archive: Path, distribution: str, folder: Path) -> None:
    # Without the package itself: it would be imported from the current folder in place
    # of the installed one, and without its compiled modules.
    def without_package(
        member: tarfile.TarInfo, destination: str
    ) -> tarfile.TarInfo | None:
        if PurePosixPath(member.name).parts[1:2] == (distribution,):
            return None
        return tarfile.data_filter(member, destination)

    with tarfile.open(archive) as archive_file:
        archive_file.extractall(folder, filter=without_package)
