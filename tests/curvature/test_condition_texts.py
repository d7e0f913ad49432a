"""What the checkers along trajectories and paths print: every condition, in a yes- and a no-case.

The line that failed says so, and no line holds that was not decided.
"""

import pytest
from flint import arb

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    cell_at,
    certify_convex_path,
    certify_nonincreasing,
    exact,
    relu,
    tanh,
)
from lscore.curvature.balls import BallCurvature, certify_share
from lscore.curvature.decay import certify_crossing, certify_decay
from lscore.curvature.exact import (
    certify_loss_change,
    certify_second_derivative,
    certify_two_backpropagations,
)
from lscore.curvature.minibatches import certify_minibatch_mean

HALF = SquaredLoss("1/2", mean=True)
UNIT = Network((1, 1), (), bias=False, output_activation=relu)
KINK = Risk(UNIT, [1, -1], [-1, 5], HALF, "1/10")
CONVEX = Risk(UNIT, [1, -1], [1, -1], HALF, "1/10")
BIASED = Risk(Network((1, 1), (), output_activation=relu), [-1, 1], [2, 2], SquaredLoss("1/2"))
VALLEY = Risk(Network((1, 1, 1), relu, bias=False), [1], [2], HALF, 1)
NEAR = exact(["65/64", 1])
LINE = Risk(Network((1, 1), (), bias=False), [1, 1], [1, 3], HALF)
PLANE = Risk(Network((1, 1, 1), relu), [1], [1])
BENT = Risk(Network((1, 1, 1), tanh), [1, -1], [0, 0])
CUBIC = Risk(Network((1, 1, 1), relu), [0, 1], ["100/27", 0])


def balls(values, quadratics):
    return [BallCurvature(arb(v), arb(2), arb(q)) for v, q in zip(values, quadratics, strict=True)]


def path(*points):
    return [exact(point) for point in points]


CASES = {
    "decay, yes": lambda: certify_decay(VALLEY, NEAR, 1, "1/8"),
    "decay, too fast": lambda: certify_decay(VALLEY, NEAR, 100, "1/8"),
    "decay, walls": lambda: certify_decay(BIASED, exact([0, 3]), "39/10", 2),
    "decay, Hessian": lambda: certify_decay(VALLEY, NEAR, 3, "1/8"),
    "decay, leaves": lambda: certify_decay(VALLEY, NEAR, 1, "1/1000"),
    "decay, on a wall": lambda: certify_decay(KINK, exact([0]), 1, 1),
    "crossing, yes": lambda: certify_crossing(CONVEX, exact([0])),
    "crossing, slides": lambda: certify_crossing(
        Risk(Network((1, 1, 1), relu), [1, 2], [-2, 2], HALF, "1/100"),
        exact([1, -1, "1/2", "1/4"])),
    "crossing, no": lambda: certify_crossing(KINK, exact([0])),
    "crossing, no wall": lambda: certify_crossing(KINK, exact([1])),
    "crossing, tangent": lambda: certify_crossing(
        Risk(Network((1, 1, 1), relu, bias=False), [1], [1]), exact([0, 0])),
    "crossing, leaving": lambda: certify_crossing(Risk(UNIT, [1, -1], [1, 1], HALF), exact([0])),
    "second derivative, yes": lambda: certify_second_derivative(VALLEY, NEAR),
    "second derivative, no": lambda: certify_second_derivative(VALLEY, NEAR, 0),
    "second derivative, on a wall": lambda: certify_second_derivative(KINK, exact([0])),
    "two backpropagations, yes": lambda: certify_two_backpropagations(cell_at(VALLEY, NEAR)),
    "two backpropagations, no": lambda: certify_two_backpropagations(cell_at(VALLEY, NEAR), 1),
    "loss change, yes": lambda: certify_loss_change(LINE, path([0], [1]), 1),
    "loss change, no": lambda: certify_loss_change(LINE, path([0], [1]), 2),
    "loss change, not convex": lambda: certify_loss_change(
        VALLEY, path(["1/4"] * 2, ["1/8"] * 2), 0),
    "loss change, on a wall": lambda: certify_loss_change(KINK, path([1], [0]), 0),
    "share, yes": lambda: certify_share(balls([9, 5, 1], [-1, 1, 1]), "1/2"),
    "share, no": lambda: certify_share(balls([9, 5, 1], [-1, 1, 1]), "3/4"),
    "share, not convex": lambda: certify_share(balls([9, 5, 1], [1, 1, -1]), 0),
    "share, sign open": lambda: certify_share(balls([9, 5, 1], [1, arb(0, 1), 1]), 0),
    "share, no change": lambda: certify_share(balls([9, 5, 9], [1, 1, 1]), 0),
    "share, fraction open": lambda: certify_share(balls([9, arb(5, 1), 1], [-1, 1, 1]), "1/2"),
    "minibatches, yes": lambda: certify_minibatch_mean(LINE, exact([0]), 1),
    "minibatches, no": lambda: certify_minibatch_mean(LINE, exact([0]), 1, correction="1/2"),
    "minibatches, on a wall": lambda: certify_minibatch_mean(KINK, exact([0]), 1),
    "path, yes": lambda: certify_nonincreasing(PLANE, path([1, 0, 0, 0], [1, 0, 1, 0])),
    "path, no": lambda: certify_nonincreasing(
        PLANE, path([1, 0, 0, 0], [1, 0, 1, 0], [1, 0, 2, 0])),
    "path, touching 0": lambda: certify_nonincreasing(
        CUBIC, path(["-10/3", "9/2", "-1/3", "5/3"], ["-10/3", 6, "2/3", "-10/3"])),
    "convex path, yes": lambda: certify_convex_path(
        PLANE, path([0, 0, 0, 0], [1, 0, 0, 0], [1, 0, "1/2", 0])),
    "convex path, no": lambda: certify_convex_path(
        PLANE, path([0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 2, 0])),
    "convex path, open": lambda: certify_convex_path(BENT, path([1, 0, 1, 1], [1, 0, 1, 0])),
    "convex path, other moves": lambda: certify_convex_path(
        BENT, path([1, 0, 1, 1], [2, 0, 1, 1])),
}  # fmt: skip


def lines(answer):
    words = {True: "holds", False: "fails", None: "undecided"}
    return [f"{words[line.holds]:<9} {line.text}" for line in answer.conditions]


STAYS, BELOW = "no unit changes its linear piece on the box of half-width", "positive definite on"
SHORT, INSIDE = "the flow is too short to leave the box, path below", "the point is inside a cell"
CROSSES = "two cells meet at the point, and the flow crosses from one to the other"
SLIDES = "two cells meet at the point, and the flow slides along the wall"
FALLS, ARRIVES = (
    "|g|^2 after the wall is not larger than before",
    "a flow arrives at the wall and crosses it or slides",
)
SERIES = "is the second derivative of the risk along the flow's Taylor series"
LATER = "gamma'' > 0 at every recorded point from t0 on"
LATER_BALLS = "2 g'Hg > 0 at every recorded point from t0 on"
ENOUGH, SAME = "the fraction is large enough", "both sides are the same polynomial"
IDLE, ENDS = "only idle units move", "the output layer moves, slope <= 0 at the end"
TEXTS = {
    "decay, yes": f"""certified
        holds     {STAYS} 1/8
        holds     Hessian - 1/2 {BELOW} the box of half-width 1/8
        holds     {SHORT} 1/8""",
    "decay, too fast": "refuted; fails     c >= C at the start",
    "decay, walls": f"""unknown
        undecided {STAYS} 2
        holds     Hessian - 39/20 {BELOW} the box of half-width 2
        holds     {SHORT} 2""",
    "decay, Hessian": f"""unknown
        holds     {STAYS} 1/8
        undecided Hessian - 3/2 {BELOW} the box of half-width 1/8
        holds     {SHORT} 1/8""",
    "decay, leaves": f"""unknown
        holds     {STAYS} 1/1000
        holds     Hessian - 1/2 {BELOW} the box of half-width 1/1000
        undecided {SHORT} 1/1000""",
    "decay, on a wall": f"unknown; fails     {INSIDE}",
    "crossing, yes": f"certified; holds     {CROSSES}; holds     {FALLS}",
    "crossing, slides": f"certified; holds     {SLIDES}; holds     {FALLS}",
    "crossing, no": f"refuted; holds     {CROSSES}; fails     {FALLS}",
    "crossing, no wall": "unknown; fails     two cells meet at the point",
    "crossing, tangent": f"unknown; fails     {ARRIVES}",
    "crossing, leaving": f"unknown; fails     {ARRIVES}",
    "second derivative, yes": f"certified; holds     {INSIDE}; holds     2 g'Hg {SERIES}",
    "second derivative, no": f"refuted; holds     {INSIDE}; fails     the claimed number {SERIES}",
    "second derivative, on a wall": f"unknown; fails     {INSIDE}",
    "two backpropagations, yes": f"certified; holds     {SAME}",
    "two backpropagations, no": f"refuted; fails     {SAME}",
    "loss change, yes": f"certified; holds     {LATER}; holds     {ENOUGH}",
    "loss change, no": f"refuted; holds     {LATER}; fails     {ENOUGH}",
    "loss change, not convex": f"refuted; fails     {LATER}",
    "loss change, on a wall": f"unknown; undecided {LATER}",
    "share, yes": f"certified; holds     {LATER_BALLS}; holds     {ENOUGH}",
    "share, no": f"refuted; holds     {LATER_BALLS}; fails     {ENOUGH}",
    "share, not convex": f"refuted; fails     {LATER_BALLS}",
    "share, sign open": f"unknown; undecided {LATER_BALLS}",
    "share, no change": f"unknown; holds     {LATER_BALLS}; undecided {ENOUGH}",
    "share, fraction open": f"unknown; holds     {LATER_BALLS}; undecided {ENOUGH}",
    "minibatches, yes": "certified; holds     equal over all 2 minibatches",
    "minibatches, no": "refuted; fails     equal over all 2 minibatches",
    "minibatches, on a wall": f"unknown; fails     {INSIDE}",
    "path, yes": "certified; holds     slope <= 0 on all 1 polynomial pieces of 1 segments",
    "path, no": "refuted; fails     slope <= 0 on polynomial piece 2, in segment 1",
    "path, touching 0": "certified; holds     slope <= 0 on all 1 polynomial pieces of 1 segments",
    "convex path, yes": f"certified; holds     segment 0: {IDLE}; holds     segment 1: {ENDS}",
    "convex path, no": f"refuted; holds     segment 0: {IDLE}; fails     segment 1: {ENDS}",
    "convex path, open": f"unknown; undecided segment 0: {ENDS}",
    "convex path, other moves": "unknown; fails     segment 0: the output layer or idle units move",
}


@pytest.mark.parametrize("name", CASES)
def test_every_condition_says_what_was_decided(name):
    answer = CASES[name]()
    verdict, *expected = TEXTS[name].replace("; ", "\n").split("\n")
    assert str(answer.verdict) == verdict
    assert lines(answer) == [line.strip() for line in expected]
    assert answer.reason or answer.verdict != "unknown"
    if not answer.certified:
        assert not all(line.holds for line in answer.conditions)


def test_every_checker_has_a_case_of_each_kind():
    kinds = {}
    for name, text in TEXTS.items():
        kinds.setdefault(name.split(",")[0], set()).add(text[:7])
    assert len(kinds) == 9
    assert all({"certifi"} < verdicts for verdicts in kinds.values())
    assert set(TEXTS) == set(CASES)
