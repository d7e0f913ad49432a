"""What a claim is, and the papers that claims come from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from lscore.errors import DataError

PAPERS = {
    "yun2019": (
        "C. Yun, S. Sra, A. Jadbabaie, Small nonlinearities in activation functions create bad "
        "local minima in neural networks, ICLR 2019"
    ),
    "laurent2018": (
        "T. Laurent, J. von Brecht, The multilinear structure of ReLU networks, ICML 2018"
    ),
    "he2020": (
        "F. He, B. Wang, D. Tao, Piecewise linear activations substantially shape the loss "
        "surfaces of neural networks, ICLR 2020"
    ),
    "milne2019": "T. Milne, Piecewise strong convexity of neural networks, NeurIPS 2019",
    "book": "Loss surfaces, executed (this book)",
}
SHORT = {
    "yun2019": "Yun et al. 2019",
    "laurent2018": "Laurent and von Brecht 2018",
    "he2020": "He et al. 2020",
    "milne2019": "Milne 2019",
}

# The same for BibTeX: key, author, title, where.
ENTRIES = {
    "yun2019": (
        "yun2019small",
        "Yun, Chulhee and Sra, Suvrit and Jadbabaie, Ali",
        "Small nonlinearities in activation functions create bad local minima in neural networks",
        "International Conference on Learning Representations",
    ),
    "laurent2018": (
        "laurent2018multilinear",
        "Laurent, Thomas and von Brecht, James",
        "The multilinear structure of {ReLU} networks",
        "International Conference on Machine Learning",
    ),
    "he2020": (
        "he2020piecewise",
        "He, Fengxiang and Wang, Bohan and Tao, Dacheng",
        "Piecewise linear activations substantially shape the loss surfaces of neural networks",
        "International Conference on Learning Representations",
    ),
    "milne2019": (
        "milne2019piecewise",
        "Milne, Tristan",
        "Piecewise strong convexity of neural networks",
        "Advances in Neural Information Processing Systems",
    ),
}
STANDINGS = ("as in the paper", "sharpened", "refuted as printed", "new")


@dataclass(frozen=True)
class Claim:
    """One numbered statement: `paper` is a key of PAPERS, `item` its number or place there.

    `observed` marks what an experiment reported: a chapter repeats it, no proof can decide it.
    `standing` compares the book's statement with the printed one; what the book adds is "new".
    `shown` is a piece of a line of a chapter's code: the executed line that shows the erratum.
    """

    id: str
    paper: str
    item: str
    statement: str
    erratum: str = ""
    observed: bool = False
    standing: str = ""
    shown: str = ""

    def __post_init__(self) -> None:
        usual = "new" if self.paper == "book" else STANDINGS[0]
        object.__setattr__(self, "standing", self.standing or usual)
        if self.standing not in STANDINGS or (self.standing == "new") != (self.paper == "book"):
            raise DataError(f"standing: {self.id} has {self.standing!r}, need one of {STANDINGS}")

    def cite(self, bibtex: bool = False) -> str:
        """Source in one line, with our erratum if there is one; or the paper as a BibTeX entry.

        The entry names the theorem in its `note` and the erratum in its `annote`. Of a claim of
        this book it is the entry of `cite`.

        >>> print(Claim("B-RAY", "milne2019", "Lemma 8", "").cite(bibtex=True).splitlines()[0])
        @inproceedings{milne2019piecewise,
        """
        if not bibtex:
            text = f"{self.id}: {PAPERS[self.paper]}, {self.item}."
            return text + (f" Erratum: {self.erratum}" if self.erratum else "")
        note = _plain(f"{self.item}, claim {self.id} of lscore")
        if self.paper not in ENTRIES:
            return _book(note)
        key, author, title, where = ENTRIES[self.paper]
        fields = {"author": author, "title": title, "booktitle": where, "year": self.paper[-4:]}
        fields |= {"note": note} | ({"annote": _plain(self.erratum)} if self.erratum else {})
        return _entry("inproceedings", key, fields)


def cite() -> str:
    """How to cite this book and its package: a BibTeX entry.

    >>> print(cite().splitlines()[0])
    @software{loss_surfaces_executed,
    """
    return _book("")


def _book(note: str) -> str:
    about = f"Executable book and Python package lscore, version {version('lscore')}"
    fields = {
        "title": "Loss surfaces, executed",
        "author": "{The lscore authors}",
        "year": "2026",
        "note": f"{about}; {note}" if note else about,
    }
    return _entry("software", "loss_surfaces_executed", fields)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    lines = [f"  {name:<{width}} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _plain(text: str) -> str:
    """A text that TeX prints as it is."""
    signs = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
    signs |= {sign: "\\" + sign for sign in "&%$#_{}"}
    return "".join(signs.get(sign, sign) for sign in text)
