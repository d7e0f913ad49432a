"""Claims of He, Wang and Tao (2020), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "HE-T2a",
        "he2020",
        "Theorem 2, part 1",
        "the surface is partitioned into smooth cells in which every layer enters affinely",
        "cells are not convex, and pattern sets need not be connected",
    ),
]
