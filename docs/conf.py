"""Sphinx reads this: `make docs`."""

project = "wagtail-member-reset"
author = "The wagtail-member-reset developers"
copyright = "the wagtail-member-reset developers"
html_title = project
html_favicon = "_static/icon.svg"

extensions = ["myst_parser", "sphinx_copybutton", "sphinx_wagtail_theme"]
# Every heading down to the third level can be linked to by its words, as on GitHub.
myst_heading_anchors = 3
# Blocks that name no language are pictures of folders.
highlight_language = "text"
exclude_patterns = ["announce"]

html_theme = "sphinx_wagtail_theme"
html_theme_options = {
    "project_name": project,
    "logo": "logo.svg",
    "logo_alt": "",
    "logo_height": 48,
    "logo_width": 48,
    "github_url": "",
    "header_links": "",
    "footer_links": "Wagtail|https://docs.wagtail.org/,Anymail|https://anymail.dev/",
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_last_updated_fmt = None
# The theme colours code by itself, for light and dark.
pygments_style = "default"
