"""Small mends of what the theme and its extensions write, for keyboards and screen readers."""

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from . import registry


class ClaimAnchors(SphinxTransform):
    """Give each claim a place in its page and an index entry, so that search finds its ID first."""

    default_priority = 800  # before the domains read the document

    def apply(self, **options):
        page = self.env.docname
        for id, (name, anchor) in registry.places().items():
            if name != page:
                continue
            if anchor.startswith("claim-"):
                mark(self.document, id, anchor)
            entry = addnodes.index(entries=[("single", id, anchor, "main", None)])
            sections = list(self.document.findall(nodes.section))
            (sections[0] if sections else self.document).append(entry)


def mark(document, id, anchor):
    """Set the anchor at the first words of the page's prose that name the claim."""
    for text in document.findall(nodes.Text):
        inside = text.parent
        if isinstance(inside, nodes.literal_block) or id not in registry.ID.findall(text.astext()):
            continue
        if isinstance(inside, nodes.literal):
            inside["ids"].append(anchor)
        else:
            spot = nodes.inline("", "", ids=[anchor])
            inside.insert(inside.index(text), spot)
        return
    raise LookupError(f"{document.get('source')}: no words name {id}")


class PlainSummaries(SphinxPostTransform):
    """A dropdown's title is a button: links in it are not reachable, so they become plain text."""

    default_priority = 300  # after references are resolved and dropdowns are built
    formats = ("html",)

    def run(self, **options):
        for title in self.document.findall(lambda n: type(n).__name__ == "dropdown_title"):
            for reference in list(title.findall(nodes.reference)):
                reference.replace_self(reference.children)


REPLACED = {
    # myst-nb gives all folded cells one name and hides the words that are shown
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # the bibliography: roles of a list, which description lists may not have
    ' role="doc-biblioentry"': "",
    ' role="list"': "",
}


def mended(body):
    """The HTML of a page with the mends that need no tree."""
    for old, new in REPLACED.items():
        body = body.replace(old, new)
    return body
