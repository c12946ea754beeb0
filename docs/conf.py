# SPDX-License-Identifier: Apache-2.0
"""How Sphinx makes a site of these pages: `make docs`."""

import re
from pathlib import Path
from typing import Any

import bluezone

REPOSITORY = Path(__file__).parents[1]

project = "Bluezone"
copyright = "the Bluezone contributors, Apache-2.0"
release = bluezone.__version__
language = "en"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
# Examples leave things out with "…", which no lexer knows.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"Bluezone {release}"
html_copy_source = False
html_show_sphinx = False
# Nothing is fetched from elsewhere: furo brings its own files, and fonts are the reader's.
html_theme_options = {"sidebar_hide_name": False}

# Texts that lie at the top of the repository, where a newcomer looks for them, shown in the place of a page here.
SHOWN = {
    "contributing/guide": "CONTRIBUTING.md",
    "contributing/conduct": "CODE_OF_CONDUCT.md",
    "contributing/security": "SECURITY.md",
    "contributing/changelog": "CHANGELOG.md",
}
PAGE_OF = {name: page.rpartition("/")[2] + ".md" for page, name in SHOWN.items()}


def show_text_of_the_top(_app: Any, page: str, source: list[str]) -> None:
    """Put a text of the repository's top into its page, with links as they are from there."""
    if page in SHOWN:
        text = (REPOSITORY / SHOWN[page]).read_text()
        text = re.sub(r"\]\(docs/", "](../", text)
        source[0] = re.sub(r"\]\(([A-Z_]+\.md)\)", lambda link: f"]({PAGE_OF[link[1]]})", text)


def reach_the_roles(_app: Any, page: str, source: list[str]) -> None:
    """Link to the sheets of the roles by label: docs/roles is a link into the package, where MyST finds no page."""

    def by_label(link: re.Match[str]) -> str:
        return f"](#{_label(link[1])})"

    if page.startswith("roles/"):
        linked = re.sub(r"\]\(([\w.-]+)\.md\)", by_label, source[0])
        source[0] = f"({_label(page.removeprefix('roles/'))})=\n{linked}"
    else:
        source[0] = re.sub(r"\]\((?:\.\./)*roles/([\w.-]+)\.md\)", by_label, source[0])


def _label(sheet: str) -> str:
    return "role-" + sheet.lower().replace(".", "-").replace("_", "-")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", show_text_of_the_top)
    app.connect("source-read", reach_the_roles)
