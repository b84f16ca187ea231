"""The configuration of Sphinx: `tox run -e docs`.

The source folder is the root of the repository, so that links between pages are the
same here and on GitHub.
"""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ROOT: Final = Path(__file__).parents[1]
_METADATA: Final[Any] = metadata("opentelemetry-instrumentation-deepseek")
_URLS: Final = dict(url.split(", ") for url in _METADATA.get_all("Project-URL"))
# A link that has neither a scheme nor is to a heading of its own page.
_LINK: Final = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")

project = _METADATA["Name"]
release = _METADATA["Version"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
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
html_title = f"{project} {release}"

# Headings have the anchors that GitHub gives them.
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

autodoc_typehints = "description"
# The docstrings are Markdown, in which one backtick encloses code.
default_role = "code"
# The fields of a named tuple are described once.
napoleon_use_ivar = True


def _link_to_repository(app: Sphinx, docname: str, content: list[str]) -> None:
    """Lets links to files that are not pages lead to the repository."""
    folder = app.env.doc2path(docname).parent

    def replace(match: re.Match[str]) -> str:
        target = (folder / match[1]).resolve()
        is_page = app.project.path2doc(target) in app.project.docnames
        if is_page or target.suffix == ".png" or not target.exists():
            return match[0]
        path = target.relative_to(_ROOT).as_posix()
        return f"{_URLS['Repository']}/blob/main/{path}"

    content[0] = _LINK.sub(replace, content[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _link_to_repository)
