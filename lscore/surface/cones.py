r"""What one hidden unit can add to the predictions: a cone for each face and each output sign.

On a face of its parameter space a unit with weights w and two-piece activation h gives the samples
:math:`h(\tilde X w)`, which is linear in w there. With the rays r of the face and the sign s of its
output weight it adds the cone of the vectors :math:`s\,h(\tilde X r)`, and nothing else. The output
bias adds constants, so all vectors are taken without their means: a prediction p without its mean
and the pull :math:`V = p - y` do not see the bias, and units differ by their cones alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np
from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.matrices import RationalMatrix, augment
from lscore.cells.arrangement.hyperplanes import integer_rows
from lscore.surface.faces import Faces, faces


def centred(column: RationalMatrix) -> RationalMatrix:
    """The column (n, 1) without its mean.

    >>> from lscore.algebra.matrices import exact
    >>> centred(exact([1, 2, 6]))
    column(-2, -1, 3)
    """
    n, entries = len(column), column.numerator.entries()
    total = sum(entries, fmpz(0))
    return RationalMatrix(fmpz_mat(n, 1, [n * e - total for e in entries]), column.denominator * n)


@dataclass(frozen=True, eq=False)
class Cones:
    r"""The cones of a unit with slopes (s_minus, s_plus) on inputs X (n, d) with labels y (n, 1).

    They are numbered: cone c is face ``face[c]`` with output sign ``sign[c]``, chambers first;
    ``c ^ 1`` has the other sign. Their vectors are numbered too, each with its negative ``v ^ 1``.

    >>> from lscore.algebra.matrices import exact
    >>> relu = Cones(exact([0, 1, 2]), exact([0, 0, 1]), (fmpq(0), fmpq(1)))
    >>> relu.vectors.nrows(), len(relu.face), len(relu.distinct)
    (6, 26, 9)
    """

    X: RationalMatrix
    y: RationalMatrix
    slopes: tuple[fmpq, fmpq]

    @cached_property
    def faces(self) -> Faces:
        """The faces of the unit's parameter space, (w, b) in augmented coordinates."""
        return faces(augment(self.X))

    @cached_property
    def target(self) -> RationalMatrix:
        """The labels without their mean, (n, 1)."""
        return centred(self.y)

    @cached_property
    def _columns(self) -> tuple[fmpz_mat, np.ndarray, list[fmpq]]:
        A, (minus, plus) = augment(self.X), self.slopes
        n, common = len(A), minus.q.lcm(plus.q)
        low, high = minus.p * (common // minus.q), plus.p * (common // plus.q)
        products = fmpz_mat(self.faces.rays) * fmpz_mat(integer_rows(A)).transpose()
        places: dict[tuple[int, ...], int] = {}
        found, lengths = [], []
        for row in products.tolist():
            values = [int(v * (high if v > 0 else low)) for v in row]
            total = sum(values)
            values = [n * v - total for v in values]
            content = gcd(*values) or 1
            key = tuple(v // content for v in values)
            if any(key) and key not in places:
                places |= {key: len(places), tuple(-v for v in key): len(places) + 1}
            found.append(places.get(key, -1))
            lengths.append(fmpq(content, common * A.denominator * n))
        return (
            fmpz_mat(len(places), n, [v for key in places for v in key]),
            np.array(found),
            lengths,
        )

    @property
    def vectors(self) -> fmpz_mat:
        """The distinct non-zero vectors, (vectors, n), as primitive integers."""
        return self._columns[0]

    @cached_property
    def rows(self) -> list[list[fmpz]]:
        """The vectors as lists."""
        return self.vectors.tolist()

    @property
    def vector_of(self) -> np.ndarray:
        """The vector of each ray with output sign 1, (rays,); -1 if it is zero."""
        return self._columns[1]

    @property
    def lengths(self) -> list[fmpq]:
        """How much of its vector each ray gives."""
        return self._columns[2]

    @cached_property
    def _order(self) -> tuple[np.ndarray, np.ndarray]:
        chambers = np.flatnonzero(self.faces.is_chamber)
        others = np.flatnonzero(~self.faces.is_chamber)
        face = np.concatenate([np.repeat(chambers, 2), np.repeat(others, 2)])
        return face, np.tile([1, -1], len(face) // 2)

    @property
    def face(self) -> np.ndarray:
        """The face of each cone, (cones,)."""
        return self._order[0]

    @property
    def sign(self) -> np.ndarray:
        """The output sign of each cone, (cones,)."""
        return self._order[1]

    @property
    def open(self) -> int:
        """How many cones belong to chambers; they come first."""
        return 2 * int(self.faces.is_chamber.sum())

    def given(self, cone: int, ray: int) -> int:
        """The vector that a ray gives with the sign of a cone; -1 if it is zero."""
        v = int(self.vector_of[ray])
        return v if v < 0 or self.sign[cone] > 0 else v ^ 1

    def _of_rays(self, rays: np.ndarray) -> np.ndarray:
        """Which vectors the rays (faces, rays) of the face of each cone give, (cones, vectors)."""
        used = np.flatnonzero(self.vector_of >= 0)
        given = np.zeros((len(self.face), self.vectors.nrows()), dtype=bool)
        for sign, shift in ((1, 0), (-1, 1)):
            mine = np.flatnonzero(self.sign == sign)
            for ray in used:
                given[mine, self.vector_of[ray] ^ shift] |= rays[self.face[mine], ray]
        return given

    @cached_property
    def spans(self) -> np.ndarray:
        """Which vectors span each cone, (cones, vectors) booleans."""
        return self._of_rays(self.faces.members)

    @cached_property
    def around(self) -> np.ndarray:
        """Which vectors the star of its face gives to each cone, (cones, vectors) booleans."""
        return self._of_rays(self.faces.star)

    @cached_property
    def distinct(self) -> np.ndarray:
        """The chamber cones that differ from each other and from {0}, by their numbers."""
        spans = self.spans[: self.open]
        first = np.unique(np.packbits(spans, axis=1), axis=0, return_index=True)[1]
        return np.sort(first[spans[first].any(axis=1)])

    def slopes_at(self, residual: RationalMatrix) -> np.ndarray:
        """The signs of the products of all vectors with a residual (n, 1), (vectors,)."""
        products = (self.vectors * residual.numerator).entries()
        return np.array([(v > 0) - (v < 0) for v in products], dtype=np.int8)

    def allowed(self, slopes: np.ndarray) -> np.ndarray:
        r"""In which cones a unit may sit at a local minimum with these slopes, (cones,) booleans.

        On the rays of the star the risk must not fall, :math:`\langle V, s\,h(\tilde X r)\rangle
        \ge 0`, on those of the face it must not change.
        """
        falls, rises = (slopes < 0).astype(np.int32), (slopes > 0).astype(np.int32)
        return (self.around @ falls == 0) & (self.spans @ rises == 0)
