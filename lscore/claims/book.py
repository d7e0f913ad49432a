"""Claims of the book that belong to no single paper."""

from lscore.claims.entry import Claim

CLAIMS = [
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
