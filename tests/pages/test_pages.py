"""The rendered book in a browser: every page, on a desk and on a phone, light and dark.

The book is built once, with warnings as errors, and served from this machine. A page may ask for
nothing from anywhere else, show no raw mathematics, leave no image without words, break no link
and never scroll sideways.
"""

import functools
import http.server
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe
import pytest
from bookext.registry import places, toc_pages
from browser import find_or_install
from bs4 import BeautifulSoup
from chapters import CHAPTERS
from playwright.sync_api import sync_playwright

from lscore.claims import CLAIMS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
WIDTHS = {"desk": 1280, "phone": 390}
THEMES = ["light", "dark"]
# Which rules of axe-core are tried where: what does not depend on colour or width, once.
AXE = {("desk", "light"): None, ("phone", "dark"): axe.COLOURS}
PAGES = [*toc_pages(), "search", "genindex"]
KNOWN_NOISE = "THEBE_JS_URL"  # the theme's live-code script declares its address twice

AT_ONCE = "*, ::before, ::after { transition: none !important }"  # no colour halfway
SHOWS = "theme => (document.documentElement.dataset.theme || theme) === theme"
INSPECT = r"""
async () => {
  const said = [], width = window.innerWidth;
  const article = document.querySelector("article") || document.body;
  const name = (e) => "<" + e.tagName.toLowerCase() + "> " + (e.textContent.trim().slice(0, 40));
  const maths = article.querySelectorAll(".math");
  if (maths.length) {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    for (const m of maths)
      if (!m.querySelector("mjx-container")) said.push("mathematics not rendered: " + name(m));
  }
  for (const e of article.querySelectorAll("mjx-merror, [data-mjx-error]"))
    said.push("MathJax error: " + name(e));
  const prose = article.cloneNode(true);
  prose.querySelectorAll("pre, code, script, style, mjx-container").forEach((e) => e.remove());
  for (const raw of ["\\(", "\\[", "$$", "???", "\\frac", "\\sum", "\\lambda"])
    if (prose.textContent.includes(raw)) said.push("raw text on the page: " + raw);
  for (const image of article.querySelectorAll("img"))
    if (!(image.getAttribute("alt") || "").trim())
      said.push("image without alt text: " + (image.getAttribute("src") || "").slice(-40));
  const whole = document.scrollingElement.scrollWidth;
  if (whole > width + 1) said.push(`the page is ${whole} px wide in a window of ${width} px`);
  const scrolls = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  const boxed = (e) => e && e !== article && (scrolls(e) || boxed(e.parentElement));
  const blocks = "p, table, pre, img, figure, li, h1, h2, h3, div.math, mjx-container";
  for (const e of article.querySelectorAll(blocks))
    if (e.getBoundingClientRect().right > width + 1 && e.checkVisibility())
      if (!boxed(e.parentElement)) said.push("reaches past the right edge: " + name(e));
  for (const e of article.querySelectorAll("pre"))
    if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
      said.push("does not wrap: " + name(e));
  for (const e of article.querySelectorAll("table, mjx-math, img")) {
    if (!e.checkVisibility() || e.closest("span.math")) continue;
    for (let box = e.parentElement; box && box !== article; box = box.parentElement) {
      const style = getComputedStyle(box), edge = box.getBoundingClientRect();
      if (style.overflowX === "visible") continue;
      if (e.getBoundingClientRect().right <= edge.right + 1) continue;
      const borders = parseFloat(style.borderTopWidth) + parseFloat(style.borderBottomWidth);
      if (scrolls(box) && box.offsetHeight - box.clientHeight - borders >= 4) break;
      said.push("cut out of sight: " + name(e));
      break;
    }
  }

  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return paint.getImageData(0, 0, 1, 1).data;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] === 255) return c;
    }
    return [255, 255, 255];
  };
  const light = (c) => {
    const f = (x) => ((x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]);
  };
  for (const e of document.querySelectorAll("mjx-container[tabindex], mjx-container [tabindex]"))
    if (e.scrollWidth <= e.clientWidth) said.push("a formula is a tab stop: " + name(e));
  for (const e of document.querySelectorAll("[tabindex]"))
    if (e.tabIndex > 0) said.push("out of the order of reading: " + name(e));
  for (const e of article.querySelectorAll("summary, .copybtn"))
    if (e.tabIndex < 0) said.push("not reached by keyboard: " + name(e));
  const ours = ".lscore-certificate, .lscore-ledger, figcaption";
  for (const box of document.querySelectorAll(ours))
    for (const e of [box, ...box.querySelectorAll("*")]) {
      const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
      if (!own || e.closest("mjx-container, .headerlink")) continue;
      const a = light(rgba(getComputedStyle(e).color)), b = light(ground(e));
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) said.push(`contrast ${ratio.toFixed(2)} is below 4.5: ` + name(e));
    }
  return said;
}
"""


@functools.cache
def parsed(path):
    """Return one HTML file as a tree."""
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@functools.cache
def anchors(path):
    """Return every anchor of one HTML file."""
    return {tag["id"] for tag in parsed(path).find_all(id=True)}


def link_problems(path, root):
    """Return the links of one page under `root` that lead to no file or no anchor."""
    found = []
    for tag in parsed(path).find_all("a", href=True):
        link = urlsplit(tag["href"])
        if link.scheme or link.netloc:
            continue
        target = (path.parent / unquote(link.path)).resolve() if link.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_relative_to(root) or not target.exists():
            found.append(f"link to a missing file: {tag['href']}")
        elif link.fragment and unquote(link.fragment) not in anchors(target):
            found.append(f"link to a missing anchor: {tag['href']}")
    return found


class Visitor:
    """One browser: a page for each width, and one that changes its view. Nothing outside."""

    def __init__(self, browser):
        self.outside, self.errors, self.opened = [], [], ""
        self.tabs = {size: self.open_tab(browser, width) for size, width in WIDTHS.items()}
        self.reader = self.open_tab(browser, WIDTHS["desk"])

    def open_tab(self, browser, width):
        tab = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        tab.on("request", lambda request: self.note_request(request.url))
        tab.on("pageerror", lambda error: self.note_error(str(error)))
        tab.on("console", lambda m: m.type == "error" and self.note_error(m.text))
        return tab

    def note_request(self, url):
        if urlsplit(url).hostname not in {"127.0.0.1", None}:
            self.outside.append(f"asks for {url}")

    def note_error(self, text):
        if KNOWN_NOISE not in text:
            self.errors.append(f"console: {text}")

    def broken_rules(self, size, theme):
        """What the page that is open breaks of axe-core's rules; it is opened anew after that."""
        if (size, theme) not in AXE:
            return []
        self.opened = ""
        return axe.violations(self.reader, AXE[size, theme])

    def problems(self, url, size, theme):
        """Look at one page and return what is wrong with it; one that is open only changes its
        view."""
        self.reader.set_viewport_size({"width": WIDTHS[size], "height": 900})
        self.reader.emulate_media(color_scheme=theme)
        if self.opened != url:
            self.outside.clear(), self.errors.clear()
            self.reader.goto(url, wait_until="load")
            self.reader.add_style_tag(content=AT_ONCE)
            self.opened = url
        self.reader.wait_for_function(SHOWS, arg=theme, timeout=5000)
        return self.reader.evaluate(INSPECT) + self.outside + self.errors


@pytest.fixture(scope="module")
def visitor():
    with sync_playwright() as playwright:
        no_names = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(
            executable_path=find_or_install(playwright.chromium.executable_path),
            args=["--no-sandbox", no_names],
            ignore_default_args=["--hide-scrollbars"],
        )
        yield Visitor(browser)
        browser.close()


@pytest.fixture(scope="module")
def serve():
    """Return a function that serves a folder on this machine and gives its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    def start(folder):
        handler = functools.partial(Quiet, directory=folder)
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Build the book into a new folder, with warnings as errors."""
    out = tmp_path_factory.mktemp("built")
    command = f"build . --path-output {out} -W -n --keep-going".split()
    build = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", *command]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        log = "\n".join(done.stdout.splitlines()[-15:] + done.stderr.splitlines()[-40:])
        pytest.fail(f"the book does not build:\n{log}", pytrace=False)
    return (out / "_build" / "html").resolve()


@pytest.fixture(scope="module")
def site(html, serve):
    return serve(html)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_page_reads_well(page, size, theme, site, visitor):
    found = visitor.problems(f"{site}/{page}.html", size, theme)
    found += visitor.broken_rules(size, theme)
    assert not found, "\n".join(found)


FIRST = """image => {
  const box = image.getBoundingClientRect();
  return (box.top + box.bottom) / 2 + window.scrollY;
}"""


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_first_picture_stands_within_a_screen_and_a_half(path, site, visitor):
    tab = visitor.tabs["desk"]
    tab.goto(f"{site}/{path.relative_to(ROOT).with_suffix('.html')}", wait_until="load")
    picture = tab.locator("article :is(figure, .cell_output) img").first
    # its middle, so that a tall one need not fit whole
    assert picture.evaluate(FIRST) <= 1.5 * tab.viewport_size["height"]


@pytest.mark.parametrize("page", toc_pages())
def test_links_lead_somewhere(page, html):
    found = link_problems(html / f"{page}.html", html)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", toc_pages())
def test_pages_are_small_and_described(page, html):
    path = html / f"{page}.html"
    assert path.stat().st_size < 3_000_000
    said = {tag.get("name") or tag.get("property"): tag.get("content")
            for tag in parsed(path).find_all("meta")}  # fmt: skip
    assert len(said["description"]) >= 30
    assert said["og:title"] in parsed(path).title.text
    assert not parsed(path).find("link", rel="canonical")  # until an address is configured


def test_search_finds_the_exact_claim_first(site, visitor):
    tab = visitor.tabs["desk"]
    tab.goto(f"{site}/search.html?q=YUN-T1")
    link = tab.locator("#search-results ul.search li a").first
    assert (
        link.get_attribute("href")
        .split("?")[0]
        .endswith(places()["YUN-T1"][0] + ".html#thm-yun-t1")
    )
    best = """ids => ids.map(id => Search._performSearch(...Search._parseQuery(id)).at(-1))"""
    for id, found in zip(CLAIMS, tab.evaluate(best, list(CLAIMS)), strict=True):
        page, anchor = places()[id]
        assert (found[0], found[2]) == (page, f"#{anchor}" if anchor else ""), id


def test_the_ledger_is_filtered_by_keyboard(site, visitor):
    tab = visitor.tabs["desk"]
    tab.goto(f"{site}/book/reference/ledger.html")
    rows = tab.locator("article .lscore-scroll tbody tr")
    assert rows.count() == rows.locator("visible=true").count() == len(CLAIMS)
    tab.get_by_label("Show rows with").press_sequentially("yun-t1 refuted")
    assert rows.locator("visible=true").count() < 5
    assert rows.locator("visible=true").first.get_attribute("id") == "ledger-yun-t1"
    assert tab.locator(".lscore-filter output").inner_text().endswith(f"of {len(CLAIMS)} rows")
    tab.keyboard.press("Escape")
    assert rows.locator("visible=true").count() == len(CLAIMS)


def test_without_scripts_every_row_is_there(html, visitor):
    context = visitor.tabs["desk"].context.browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((html / "book/reference/ledger.html").as_uri())
    rows = tab.locator("article .lscore-scroll tbody tr")
    assert rows.locator("visible=true").count() == len(CLAIMS)
    assert not tab.locator(".lscore-filter").is_visible()
    context.close()


def test_print_shows_what_is_folded(site, visitor):
    tab = visitor.tabs["desk"]
    tab.goto(f"{site}/book/cells/partition.html")
    folded = "document.querySelectorAll('article details:not([open])').length"
    before = tab.evaluate(folded)
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert before > 3
    assert tab.evaluate(folded) == 0
    tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate(folded) == before


@pytest.mark.parametrize("size", WIDTHS)
def test_a_page_shows_itself_as_slides(size, html, visitor):
    tab = visitor.tabs[size]
    page = (html / "book/spurious_minima/two_piece_activations.html").as_uri()
    tab.goto(f"{page}?slides")
    stage, said = tab.locator("body > main"), tab.locator("body > nav output")
    total = int(said.inner_text().split(" / ")[1])
    assert 10 < total < 60
    seen = set()
    for number in range(1, total + 1):
        assert said.inner_text() == f"{number} / {total}"
        seen.add(text := stage.inner_text())
        assert len(text.split()) > 3
        assert stage.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
        tab.keyboard.press("ArrowRight")
    assert len(seen) == total
    assert re.search(r"Theorem \d+\.1\b", "".join(seen))
    tab.get_by_label("Previous slide").click()
    assert said.inner_text() == f"{total - 1} / {total}"
    tab.keyboard.press("Escape")
    tab.wait_for_url(page)
    assert tab.locator("article.bd-article h1").is_visible()


def test_front_door_leads_to_the_first_page(html):
    assert toc_pages()[0] in (html / "index.html").read_text("utf-8")


BAD = {
    "a formula as a tab stop": (
        '<mjx-container tabindex="0">x</mjx-container>',
        "a formula is a tab stop",
    ),
    "a jump in the order": ('<a href="#x" tabindex="3">a</a>', "out of the order of reading"),
    "an image without alt text": ('<img src="data:,">', "image without alt text"),
    "raw mathematics": (r"<p>\(x^2\)</p>", "raw text on the page"),
    "mathematics cut in two": (
        r"<p>$\frac1n</p><ul><li>\sum_i x_i$</li></ul>",
        "raw text on the page",
    ),
    "an unresolved number": ("<p>see ???</p>", "raw text on the page"),
    "mathematics left alone": ('<span class="math">x</span>', "mathematics not rendered"),
    "a MathJax error": ("<mjx-merror>x</mjx-merror>", "MathJax error"),
    "a page too wide": ('<div style="width:2000px">x</div>', "px wide in a window"),
    "a cut paragraph": (
        '<style>body{overflow-x:hidden}</style><p style="width:2000px">x</p>',
        "reaches past the right edge",
    ),
    "a long line of code": ("<pre>" + "x" * 200 + "</pre>", "does not wrap"),
    "a table cut out of sight": (
        '<div style="overflow:hidden"><table style="width:2000px"><td>x</table></div>',
        "cut out of sight",
    ),
    "a table that scrolls without a bar": (
        "<style>div::-webkit-scrollbar{display:none}</style>"
        '<div style="overflow:auto"><table style="width:2000px"><td>x</table></div>',
        "cut out of sight",
    ),
    "pale words": (
        '<div class="lscore-certificate"><b style="color:#ccc">unknown</b></div>',
        "contrast 1.61 is below 4.5",
    ),
    "a script from elsewhere": ('<script src="https://example.org/a.js"></script>', "asks for"),
    "a script that fails": ("<script>undefined.x</script>", "console:"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_page_is_refused(fault, tmp_path, serve, visitor):
    body, complaint = BAD[fault]
    page = "<!doctype html><link rel='icon' href='data:,'><body><article>{}</article></body>"
    (tmp_path / "bad.html").write_text(page.format(body), encoding="utf-8")
    (tmp_path / "good.html").write_text(page.format("<p>words</p>"), encoding="utf-8")
    address = serve(tmp_path)
    assert visitor.problems(f"{address}/good.html", "phone", "light") == []
    assert complaint in " ".join(visitor.problems(f"{address}/bad.html", "phone", "light"))


BREAKS = {
    "an unnamed button": ("<button></button>", "button-name"),
    "a pale text": ('<p style="color: #999">words</p>', "color-contrast"),
    "a link in a button": ('<summary>a <a href="#x">b</a></summary>', "nested-interactive"),
    "a hidden name": ('<button aria-label="Find">Search</button>', "label-content-name-mismatch"),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_broken_rule_is_reported(fault, tmp_path, serve, visitor):
    body, rule = BREAKS[fault]
    page = "<!doctype html><html lang='en'><title>A</title><link rel='icon' href='data:,'>"
    page += "<body><main><h1>A</h1><p>words</p>{}</main></body></html>"
    body = f"<details>{body}</details>" if "summary" in body else body
    (tmp_path / "good.html").write_text(page.format(""), encoding="utf-8")
    (tmp_path / "bad.html").write_text(page.format(body), encoding="utf-8")
    address = serve(tmp_path)
    visitor.problems(f"{address}/good.html", "desk", "light")
    assert visitor.broken_rules("desk", "light") == []
    visitor.problems(f"{address}/bad.html", "desk", "light")
    assert [line.split(" at ")[0] for line in visitor.broken_rules("desk", "light")] == [rule]


def test_a_broken_link_is_refused(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<p id="here"><a href="#here">a</a><a href="page.html#here">b</a></p>')
    assert link_problems(page, tmp_path) == []
    other = tmp_path / "other.html"
    other.write_text('<a href="none.html">a</a><a href="page.html#gone">b</a>')
    assert [line.split(":")[0] for line in link_problems(other, tmp_path)] == [
        "link to a missing file",
        "link to a missing anchor",
    ]
