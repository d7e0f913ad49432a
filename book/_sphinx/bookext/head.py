"""What a page says of itself to search engines and previews, and the book's own address."""

import html
import re

from docutils import nodes

SITE = (
    "Theorems on the loss surfaces of neural networks, constructed, checked and certified exactly."
)
PICTURE = "_static/landing.png"


def addressed(config):
    """Derive every link to the outside from the one address in _config.yml, `repository: url`.

    With an address come the buttons for the repository, for issues, for Colab and Binder, and,
    on GitHub, the address of the pages unless `html: baseurl` gives another one.
    """
    options = config.html_theme_options
    url = (options.get("repository_url") or "").rstrip("/")
    if not url:
        return
    options["repository_url"] = url
    options["use_repository_button"] = options["use_issues_button"] = True
    host = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?", url)
    given = {key: value for key, value in options.get("launch_buttons", {}).items() if value}
    options["launch_buttons"] = {
        "binderhub_url": "https://mybinder.org",
        **({"colab_url": "https://colab.research.google.com"} if host else {}),
        **given,
        "notebook_interface": "jupyterlab",
    }
    if host and not config.html_baseurl:
        config.html_baseurl = f"https://{host[1].lower()}.github.io/{host[2]}/"


def description(doctree):
    """The first paragraph of a page as plain text, at most 200 characters, cut after a word."""
    if doctree is None:
        return SITE
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section):
            continue
        text = " ".join(paragraph.astext().split())
        if len(text) < 30:
            continue
        if len(text) > 200:
            text = text[:200].rsplit(" ", 1)[0].rstrip(",;:") + " ..."
        return text
    return SITE


def metadata(title, about, address, picture):
    """Meta elements: description and Open Graph; `address` and `picture` may be empty."""
    facts = {
        "og:title": title,
        "og:description": about,
        "og:type": "article",
        "og:site_name": "Loss surfaces, executed",
        "og:url": address,
        "og:image": picture,
    }
    lines = [f'<meta name="description" content="{html.escape(about)}">']
    lines += [
        f'<meta property="{key}" content="{html.escape(value)}">'
        for key, value in facts.items()
        if value
    ]
    return "\n".join(lines) + "\n"


NO_ADDRESS = (
    '<p class="lscore-note">This copy of the book has no address, so it has no launch buttons. '
    "To run the page, download it with the button at the top and open it where lscore is "
    "installed.</p>"
)
