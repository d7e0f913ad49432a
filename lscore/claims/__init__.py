"""The claims that the book decides: ID, source, what is asserted, and our erratum if any."""

from __future__ import annotations

from lscore.claims.book import CLAIMS as _BOOK
from lscore.claims.entry import ENTRIES, PAPERS, SHORT, STANDINGS, Claim, cite
from lscore.claims.he2020 import CLAIMS as _HE2020
from lscore.claims.laurent2018 import CLAIMS as _LAURENT2018
from lscore.claims.milne2019 import CLAIMS as _MILNE2019
from lscore.claims.yun2019 import CLAIMS as _YUN2019
from lscore.errors import DataError

__all__ = ["CLAIMS", "ENTRIES", "PAPERS", "SHORT", "STANDINGS", "Claim", "cite", "claim"]

CLAIMS = {entry.id: entry for entry in (*_YUN2019, *_LAURENT2018, *_HE2020, *_MILNE2019, *_BOOK)}


def claim(id: str) -> Claim:
    """The claim with this ID; raises `DataError` listing the known IDs.

    >>> claim("YUN-T1").item
    'Theorem 1'
    """
    if id not in CLAIMS:
        raise DataError(f"id: no claim {id!r}, known are {', '.join(CLAIMS)}")
    return CLAIMS[id]
