"""The documentation site: `make docs` builds it into build/docs, offline."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from coequal import __version__  # noqa: E402

project = "coequal"
author = copyright = "The coequal authors"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "contents",
    "local_links",
    "generated",
    "docstrings",
    "check_html",
]

root_doc = "README"  # the page that those who read the folder in a browser of files see first
source_suffix = {".md": "markdown"}
exclude_patterns = ["_*", "results/*/**"]
templates_path = ["_templates"]
nitpicky = True
default_role = "py:obj"  # `names` in docstrings are links where there is something to link to
nitpick_ignore_regex = [
    (r"py:obj", r".*"),  # most are names of arguments and settings
    # Types are links where the class has a page: torch, numpy and type variables have none here.
    (r"py:(class|data|exc|func|meth|attr|mod)", r".*"),
]

myst_heading_anchors = 4  # the links to headings that GitHub gives them
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 72
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False  # "Returns: plain values: ..." names no type
napoleon_custom_sections = [("Attributes", "params_style")]  # not "Variables"

html_theme = "furo"
html_title = f"coequal {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["search.js"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
copybutton_exclude = ".linenos, .gp, .go"
