"""Claims of the book that belong to no single paper."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "B-RAY",
        "book",
        "the ray test",
        "a negative first coefficient of the risk along a ray refutes a local minimum",
    ),
    Claim("B-ZERO", "book", "risk zero", "a point of risk 0 is a global minimum of any risk >= 0"),
    Claim(
        "B-CONVEX",
        "book",
        "no hidden layer",
        "without a hidden layer the risk is convex, so a critical point is a global minimum",
    ),
    Claim(
        "B-BALANCE",
        "book",
        "balanced pulls",
        "where the pulls of a convex loss balance along every path of a cell, nothing in the cell "
        "is lower",
    ),
    Claim(
        "B-NEAR",
        "book",
        "a minimum beside a point",
        "where the network is affine in x and balls enclose the minimum of a convex loss, a local "
        "minimum lies beside the point",
    ),
    Claim(
        "B-SMOOTH",
        "book",
        "the ray test in balls",
        "a first or second derivative that balls show to be negative refutes a local minimum",
    ),
    Claim(
        "B-SOLVE",
        "book",
        "a surface, completely solved",
        "the local minima of one hidden layer, one output and the squared loss have finitely many "
        "values, and finitely many exact problems list them all",
    ),
    Claim("B-HESS-A", "book", "case A", "a zero gradient at a point that has a slope"),
    Claim("B-HESS-B", "book", "case B", "a positive semidefinite Hessian at a descending plateau"),
    Claim("B-HESS-C", "book", "case C", "a spurious minimum whose eigenvalues have no clear sign"),
    Claim("B-HESS-D", "book", "case D", "a zero Hessian at a third-order saddle"),
]
