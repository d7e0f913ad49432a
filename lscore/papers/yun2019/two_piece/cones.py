r"""Networks with one input, cone by cone: the exact smallest risk on every face.

On the data a unit is :math:`v\,h(w x_i + b)`. The lines :math:`w p_j + b = 0`, one for each of the
N distinct inputs, cut the plane of (w, b) into 2N sectors between neighbouring *rays*
:math:`\pm(-1, p_j)`. In a sector no pre-activation changes sign, so the outputs are linear in
:math:`u = v\,(w, b)`, and u runs through the sector or its mirror image. So every cell of the
network is a cone with two rays per unit, on which the risk is a convex quadratic; its smallest
value there is a least-squares problem with coefficients >= 0, solved by trying faces of the cone.
"""

from __future__ import annotations

from functools import cached_property
from itertools import combinations_with_replacement, pairwise

from flint import fmpq, fmpz_mat

from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import BudgetError, DataError, HypothesisError
from lscore.model.risk import Risk
from lscore.model.settings import CLAIM, ONE_TO_ONE, slopes

Face = frozenset[int]  # signed rays of one unit: none, one, or two neighbours with one sign


class KinkCones:
    """The cells of widths (1, k, 1) with two pieces as cones, each with its smallest risk.

    A *face* of a unit is a set of signed rays: empty (the unit is 0), one ray, or two neighbouring
    ones with the same sign, the sign of the output weight; `faces` lists them, (1 + 8N) for N
    distinct inputs. A face of the network has one per unit. Rays 1..N are (-1, p_N) to (-1, p_1),
    rays N + 1..2N are (1, -p_N) to (1, -p_1): `rays` has them as vectors (w, b), in cyclic order.
    Any labels, equal inputs included.
    Raises `HypothesisError` (setting; one distinct input) and `BudgetError` if the network has more
    than `limit` faces.

    >>> from lscore import Network, relu
    >>> cones = KinkCones(Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9]))
    >>> len(cones.faces), cones.bottom
    (33, 0)
    """

    def __init__(self, risk: Risk, limit: int = 200_000):
        ONE_TO_ONE.require(risk, CLAIM)
        s_plus, s_minus = slopes(risk)
        inputs = tuple(risk.exact_X.entries())
        if len(set(inputs)) < 2:
            raise HypothesisError(CLAIM, "two distinct inputs", "got 1", risk.exact_X)
        self.risk, self.width = risk, risk.network.widths[1]
        places = sorted(set(inputs), reverse=True)
        self.rays = [(fmpq(s), -s * p) for s in (-1, 1) for p in places]
        m = len(self.rays)
        turns = [(s * (r + 1), s * ((r + 1) % m + 1)) for s in (1, -1) for r in range(m)]
        self.faces: list[Face] = [frozenset()]
        self.faces += [frozenset(turn[:size]) for size in (1, 2) for turn in turns]
        if len(self.faces) ** self.width > limit:
            count = f"{len(self.faces)}^{self.width}"
            raise BudgetError(f"risk: its network has {count} faces, the limit is {limit}")
        signals = [[w * x + b for x in inputs] for w, b in self.rays]
        units = [[z * (s_plus if z > 0 else s_minus) for z in row] for row in signals]
        columns = exact([[fmpq(1)] * len(inputs), *units]).T
        self._gram, self._moments = columns.T @ columns, columns.T @ risk.exact_y
        self._total = risk.exact_y.dot(risk.exact_y)
        self._scale = risk.loss.scale(len(inputs))
        self._fits: dict[tuple[int, ...], tuple[fmpq, list[fmpq]]] = {}
        self._lowest: dict[Face, tuple[fmpq, dict[int, fmpq]]] = {}

    def face_of(self, v: fmpq, w: fmpq, b: fmpq) -> Face:
        """The smallest face that holds a unit with these parameters (the rays turn left)."""
        if v == 0 or w == b == 0:
            return frozenset()
        turns = [*enumerate(self.rays, 1), (1, self.rays[0])]
        corners = (
            ((r, w * t - b * s), (other, p * b - q * w))
            for (r, (p, q)), (other, (s, t)) in pairwise(turns)
        )
        inside = next(pair for pair in corners if all(weight >= 0 for _, weight in pair))
        return frozenset(ray if v > 0 else -ray for ray, weight in inside if weight)

    def _fit(self, rays: tuple[int, ...]) -> tuple[fmpq, list[fmpq]]:
        """Least squares with the constant and these rays, coefficients of any sign."""
        if rays not in self._fits:
            gram, right = self._gram, self._moments
            chosen, p = (0, *rays), len(rays) + 1
            square = fmpz_mat(p, p, [gram.numerator[i, j] for i in chosen for j in chosen])
            column = fmpz_mat(p, 1, [right.numerator[i, 0] for i in chosen])
            right = RationalMatrix(column, right.denominator)
            solution, _ = least_squares(RationalMatrix(square, gram.denominator), right)
            self._fits[rays] = self._total - right.dot(solution), solution.entries()
        return self._fits[rays]

    def lowest(self, face: Face) -> tuple[fmpq, dict[int, fmpq]]:
        """The smallest sum of squares on a cone, and coefficients >= 0 of its signed rays.

        Where least squares without signs gives coefficients >= 0, these are the answer. Otherwise
        the minimum over the cone is attained without one of the rays whose coefficient is negative.
        Key 0 holds the constant. `face` is the union of the faces of all units.
        """
        if face not in self._lowest:
            rays = tuple(sorted({abs(g) for g in face}))
            value, (constant, *coefficients) = self._fit(rays)
            weights = dict(zip(rays, coefficients, strict=True))
            wrong = [g for g in face if g * weights[abs(g)] < 0]
            if wrong:
                answer = min((self.lowest(face - {g}) for g in wrong), key=lambda fit: fit[0])
            else:
                answer = value, {0: constant, **{g: abs(weights[abs(g)]) for g in face}}
            self._lowest[face] = answer
        return self._lowest[face]

    def smallest_risk(self, units: tuple[Face, ...]) -> fmpq:
        """The smallest risk over a face of the network; `units` has one of `faces` per unit."""
        if len(units) != self.width or any(face not in self.beside for face in units):
            raise DataError(f"units: got {units}, need {self.width} of the faces")
        return self.lowest(frozenset().union(*units))[0] * self._scale

    @cached_property
    def beside(self) -> dict[Face, list[Face]]:
        """For each face of a unit those with one ray more or less."""
        found: dict[Face, list[Face]] = {face: [] for face in self.faces}
        for face in self.faces:
            for ray in face:
                found[face].append(face - {ray})
                found[face - {ray}].append(face)
        return found

    @cached_property
    def bottom(self) -> fmpq:
        """The global minimum of the risk, the smallest over all cells."""
        sectors = [face for face in self.faces if len(face) == 2]
        return min(map(self.smallest_risk, combinations_with_replacement(sectors, self.width)))
