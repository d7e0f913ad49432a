"""What a claim is, and the papers that claims come from."""

from __future__ import annotations

from dataclasses import dataclass

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

    def cite(self) -> str:
        """Source in one line, with our erratum if there is one."""
        text = f"{self.id}: {PAPERS[self.paper]}, {self.item}."
        return text + (f" Erratum: {self.erratum}" if self.erratum else "")
