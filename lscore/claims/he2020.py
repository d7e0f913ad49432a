"""Claims of He, Wang and Tao (2020), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "HE-T2a",
        "he2020",
        "Theorem 2, part 1",
        "the surface is partitioned into smooth cells in which every layer enters affinely",
        "cells are not convex, and pattern sets need not be connected",
        shown="bent = ",
    ),
    Claim(
        "HE-foc",
        "book",
        "first-order conditions at any point",
        "one hidden layer, one output: a point is a local minimum if and only if the pulls of the "
        "loss sum to 0 and each unit, alone, has a local minimum of the tangent risk there",
    ),
    Claim(
        "HE-T2d",
        "he2020",
        "Theorem 2, linear collapse",
        "with linear activations the surface is one cell",
        "that all its local minima are global needs a differentiable loss and enough width",
        standing="refuted as printed",
        shown="no_gradient_data = ",
    ),
]
