"""The ray test: it refutes with a witness, proves nothing, and says which line fails."""

import numpy as np
import pytest
from cases import CASE_D, PARABOLA

from lscore.errors import LscoreError, ShapeError
from lscore.minima.descent import certify_along
from lscore.papers.yun2019 import least_squares_minimum


def test_one_direction_cannot_prove_a_minimum():
    w = least_squares_minimum(PARABOLA)
    flat = certify_along(PARABOLA, w, [0, 1, 0, 0, 0, 0, 0])
    assert flat.reason == "along this direction the risk is constant"
    up = certify_along(PARABOLA, w, np.eye(7)[6])
    assert up.reason == "along this direction the risk rises at order 2"
    assert str(up.verdict) == str(flat.verdict) == "unknown"


def test_bad_directions_are_refused_by_name():
    w = least_squares_minimum(PARABOLA)
    with pytest.raises(ShapeError, match=r"u: shape \(2, 1\)"):
        certify_along(PARABOLA, w, [1, 2])
    with pytest.raises(LscoreError, match=r"u\[0\]: got nan"):
        certify_along(PARABOLA, w, [float("nan")] * 7)


def test_texts_of_the_ray_test():
    w = least_squares_minimum(PARABOLA)
    assert str(certify_along(PARABOLA, w, np.eye(7)[6])) == (
        "unknown (exact): the point is a local minimum  [B-RAY]\n"
        "  reason    along this direction the risk rises at order 2"
    )
    assert str(certify_along(CASE_D.risk, CASE_D.point, [1, 1, 1])) == (
        "refuted (exact): the point is a local minimum  [B-RAY]\n"
        "  witness   direction: column(1, 1, 1)\n"
        "  witness   order: 3\n"
        "  witness   coefficient: -1\n"
        "  witness   lower point: column(1, 1, 1)\n"
        "  witness   decrease there: 1/2"
    )
