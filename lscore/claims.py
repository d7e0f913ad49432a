"""The claims that the book decides: ID, source, what is asserted, and our erratum if any."""

from __future__ import annotations

from dataclasses import dataclass

from lscore.errors import DataError

PAPERS = {
    "yun2019": (
        "C. Yun, S. Sra, A. Jadbabaie, Small nonlinearities in activation functions create bad "
        "local minima in neural networks, ICLR 2019"
    ),
    "book": "Loss surfaces, executed (this book)",
}


@dataclass(frozen=True)
class Claim:
    """One numbered statement: `paper` is a key of PAPERS, `item` its number or place there."""

    id: str
    paper: str
    item: str
    statement: str
    erratum: str = ""

    def cite(self) -> str:
        """Source in one line, with our erratum if there is one."""
        text = f"{self.id}: {PAPERS[self.paper]}, {self.item}."
        return text + (f" Erratum: {self.erratum}" if self.erratum else "")


_ALL = [
    Claim(
        "YUN-T1",
        "yun2019",
        "Theorem 1",
        "data that no affine map fits give a two-piece network spurious local minima",
        "footnote 1 asks that no linear map fits X; the theorem needs that no affine map does",
    ),
    Claim(
        "YUN-B-T1-1",
        "book",
        "one dead unit",
        "one switched-off unit lowers the risk by exactly A^2/(2B), ties included",
    ),
    Claim(
        "YUN-B-T1-2",
        "book",
        "refitted kink",
        "the decrease that one kink allows does not vanish with the nonlinearity",
    ),
    Claim(
        "YUN-B-T1-3",
        "book",
        "several outputs",
        "width d_Y + 1 is enough for d_Y outputs",
    ),
    Claim(
        "YUN-B-T1-4",
        "book",
        "no bad valley",
        "a path leaves the spurious minimum without the risk ever rising",
    ),
    Claim(
        "YUN-B-T1-5",
        "book",
        "dead network",
        "for ReLU the all-dead network is a worse local minimum still",
    ),
    Claim(
        "B-RAY",
        "book",
        "the ray test",
        "a negative first coefficient of the risk along a ray refutes a local minimum",
    ),
    Claim("B-HESS-A", "book", "case A", "a zero gradient at a point that has a slope"),
    Claim("B-HESS-B", "book", "case B", "a positive semidefinite Hessian at a descending plateau"),
    Claim("B-HESS-C", "book", "case C", "a spurious minimum whose eigenvalues have no clear sign"),
    Claim("B-HESS-D", "book", "case D", "a zero Hessian at a third-order saddle"),
]

CLAIMS = {claim.id: claim for claim in _ALL}


def claim(id: str) -> Claim:
    """The claim with this ID; raises `DataError` listing the known IDs.

    >>> claim("YUN-T1").item
    'Theorem 1'
    """
    if id not in CLAIMS:
        raise DataError(f"id: no claim {id!r}, known are {', '.join(CLAIMS)}")
    return CLAIMS[id]
