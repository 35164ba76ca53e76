"""How the documentation is built: `nox -s docs`."""

from persona_cases import __version__

project = "persona-cases"
author = "The persona-cases authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinxcontrib.mermaid"]
# So that other readers of Markdown draw the pictures too.
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "persona-cases"

# Docstrings mark code with single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Types of other projects are named, not linked: that would need their inventories.
nitpick_ignore_regex = [("py:.*", ".*")]
# Several classes have an attribute `type`, and signatures mention the builtin.
suppress_warnings = ["ref.python"]
