"""The book's own Sphinx extension: generated pages, links from claims, metadata, small mends."""

import re
from html import unescape
from pathlib import Path

from docutils import nodes

from . import head, mend, registry, tables


def fill(app, page, source):
    """Put the generated parts into a page."""
    source[0] = tables.filled(source[0]) if tables.MARK.search(source[0]) else source[0]


def generated(app, env, added, changed, removed):
    """Read the generated pages again on every build: they depend on all others."""
    marked = [p for p in env.found_docs if p.startswith("book/reference/")]
    return [p for p in marked if tables.MARK.search(Path(env.doc2path(p)).read_text("utf-8"))]


def claim_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """`:claim:`ID``: the ID as a link to its statement in the book."""
    env = inliner.document.settings.env
    page, anchor = registry.places()[text]
    address = env.app.builder.get_relative_uri(env.docname, page)
    address += f"#{anchor}" if anchor else ""
    return [nodes.reference(rawtext, text, refuri=address, internal=True)], []


def link_claims(app, what, name, thing, options, lines):
    """Turn the claim IDs in a docstring's prose into links."""
    known = registry.places()
    for number in registry.prose_lines(lines):
        parts = lines[number].split("`")
        for at in range(0, len(parts), 2):  # outside of backticks
            parts[at] = registry.ID.sub(
                lambda m: f":claim:`{m[0]}`" if m[0] in known else m[0], parts[at]
            )
        lines[number] = "`".join(parts)


def page_context(app, page, template, context, doctree):
    """Metadata for the head of a page and mends of its body."""
    base = app.config.html_baseurl
    about = head.description(doctree)
    title = re.sub(r"<[^>]+>", "", context.get("title") or app.config.html_title)
    picture = base + head.PICTURE if base else ""
    address = base + context.get("current_page_name", page) + ".html" if base else ""
    context["metatags"] = context.get("metatags", "") + head.metadata(
        unescape(title), about, address, picture
    )
    if "body" in context:
        context["body"] = mend.mended(context["body"])
        source = str(app.env.doc2path(page)) if page in app.env.found_docs else ""
        if source.endswith(".ipynb") and not app.config.html_theme_options.get("repository_url"):
            context["body"] += head.NO_ADDRESS


def setup(app):
    """Register all of it."""
    app.connect("config-inited", lambda app, config: head.addressed(config), priority=100)
    app.connect("env-get-outdated", generated)
    app.connect("source-read", fill)
    app.connect("autodoc-process-docstring", link_claims)
    app.connect("html-page-context", page_context)
    app.add_role("claim", claim_role)
    app.add_transform(mend.ClaimAnchors)
    app.add_post_transform(mend.PlainSummaries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
