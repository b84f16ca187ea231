"""The configuration of Sphinx: `tox run -e docs`.

The source folder is the root of the repository, so that links between Markdown files lead
to the same pages here and on GitHub.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag

import tomli

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ROOT: Final = Path(__file__).parents[1]
_PROJECT: Final = tomli.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
_REPOSITORY: Final = _PROJECT["urls"]["Repository"]
_LINK: Final = re.compile(r"(?<=\]\()(?!\w+:|#)[^)\s]+(?=\))")

project = _PROJECT["name"]
author = _PROJECT["authors"][0]["name"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxcontrib.mermaid",
]
root_doc = "docs/index"
include_patterns = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "collector/README.md",
    "docs/**.md",
    "examples/README.md",
]
html_theme = "furo"
html_title = project
html_theme_options = {"source_repository": _REPOSITORY, "source_branch": "main"}

myst_enable_extensions = ["attrs_inline", "colon_fence"]
# Headings have the anchors that GitHub gives them.
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

autodoc_typehints = "description"
autodoc_member_order = "bysource"
# The docstrings are Markdown: one backtick encloses code.
default_role = "code"
nitpicky = True


def _link_to_repository(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replaces links to files that are not pages by links to the repository."""
    folder = Path(app.env.doc2path(docname)).parent

    def replace(match: re.Match[str]) -> str:
        path, _ = urldefrag(match[0])
        target = (folder / path).resolve()
        if target.is_file() and target.suffix in {".md", ".png"}:
            relative = target.relative_to(_ROOT)
            if target.suffix == ".png" or app.project.path2doc(str(relative)) in app.project.docnames:
                return match[0]
        return f"{_REPOSITORY}/blob/main/{target.relative_to(_ROOT).as_posix()}"

    content[0] = _LINK.sub(replace, content[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _link_to_repository)
