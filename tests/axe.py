"""axe-core in a page of the book: which accessibility rules does the page break?

The rules come with the package axe-playwright-python: one script, run in the page itself.
"""

import functools
import importlib.util
from pathlib import Path

# Rules that a page may break, each with the reason. None today.
EXCEPTIONS: dict[str, str] = {}
COLOURS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]

# Thousands of coloured words of code and parts of formulas look alike. The first of each kind
# stays, with its place and colour; its twins become plain text, which is a third of the nodes.
RUN = """
async (only) => {
  const seen = new Set();
  const kind = (e) => (e ? e.tagName + "." + e.className + "<" + kind(e.parentElement) : "");
  for (const e of document.querySelectorAll("pre span, mjx-container")) {
    const key = getComputedStyle(e).color + kind(e);
    if (seen.has(key) && e.isConnected)
      e.replaceWith(e.matches("mjx-container") ? "x" : e.textContent);
    seen.add(key);
  }
  const rules = {};
  for (const rule of axe.getRules()) {
    const old = rule.tags.includes("deprecated");
    if (rule.tags.includes("experimental") && !old) rules[rule.ruleId] = { enabled: true };
  }
  const options = { resultTypes: ["violations"], rules };
  if (only) { options.runOnly = only; delete options.rules; }
  const { violations } = await axe.run(document, options);
  return violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(" "))]);
}
"""


@functools.cache
def script():
    """The text of axe-core."""
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None:
        raise ImportError("axe_playwright_python is missing: pip install -r requirements.txt")
    return (Path(package.origin).parent / "axe.min.js").read_text("utf-8")


def violations(tab, only=None):
    """What a page breaks, one line per rule; `only` names the rules to try (default all)."""
    tab.evaluate(script())
    found = tab.evaluate(RUN, only)
    return [
        f"{rule} at {len(places)} places, first {places[0]}"
        for rule, places in found
        if rule not in EXCEPTIONS
    ]
