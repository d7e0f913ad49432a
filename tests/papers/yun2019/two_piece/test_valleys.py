"""Bad valleys of one unit: trapped and free lines, and what the checker leaves open."""

import pytest
from cases import PARABOLA, assert_unknown
from flint import fmpq
from valley_points import FREE, HINGE, TRAPPED, wide

from lscore import certify_nonincreasing, exact, two_piece
from lscore.errors import DataError
from lscore.papers.yun2019 import certify_bad_valley
from lscore.surface.one_kink import best_one_kink


def test_the_trapped_and_the_free_line():
    assert HINGE(TRAPPED) == HINGE(FREE) == fmpq(1, 12)
    assert HINGE.predictions(TRAPPED) == HINGE.predictions(FREE)
    answer = certify_bad_valley(HINGE, TRAPPED)
    assert answer.certified
    assert list(answer.values.values()) == [fmpq(1, 12), fmpq(1, 12), fmpq(1, 3), 0]
    assert certify_bad_valley(HINGE, FREE).verdict == "unknown"
    corner, end = exact(["1/2", 0, 1, "-1/6"]), exact(["1/2", "-1/2", 2, 0])
    path = [FREE, corner, end]
    assert HINGE(corner) == fmpq(1, 12)
    assert certify_nonincreasing(HINGE, path).certified


@pytest.mark.parametrize("slope", [0, "1/10", "1/2", "9/10"])
def test_parabolas_have_a_bad_valley_for_every_leaky_slope(slope):
    risk = wide(PARABOLA, 1, two_piece(1, slope))
    best = best_one_kink(risk, -1)
    assert best.risk == 2 > best_one_kink(risk, 1).risk == best_one_kink(risk).risk
    trapped = exact([-3, 20, -1, 19])
    answer = certify_bad_valley(risk, trapped)
    assert answer.certified
    assert answer.values["barrier"] == fmpq(49, 2)


def test_the_valley_checker_says_no_and_unknown():
    assert certify_bad_valley(HINGE, exact([1, -1, 1, 0])).refuted
    high = certify_bad_valley(HINGE, exact([-1, 0, 1, 5]))
    assert high.verdict == "unknown"
    assert high.reason == "at this height a path may turn the unit round"
    assert certify_bad_valley(HINGE, exact([0, 1, 1, 0])).verdict == "unknown"
    assert_unknown(certify_bad_valley(PARABOLA, exact([0] * 7)), "1 hidden unit: got 2")
    with pytest.raises(DataError, match="side: got 2"):
        best_one_kink(HINGE, 2)
