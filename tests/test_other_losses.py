"""Losses of elsewhere, by the contract alone: every checker is right about them, says unknown, or
refuses by name. The oracles and rows are those of `test_settings`, in plain Fractions."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from cases import table
from losses import Absolute, Huber, Logistic, Quartic, Tilted
from plain import Plain, decays, shape_of
from test_settings import AXES, BASE, CHECKERS, REFUSALS, ROWS, SETTINGS, Case, case_of

from lscore import Network, Risk, exact, relu
from lscore.model.balls import ball_risk

HALF = Fraction(1, 2)
LAWS = {  # knots, and per piece the coefficients of the loss of one margin
    "Huber": ([-HALF, HALF], [[-HALF / 4, -HALF], [0, 0, HALF], [-HALF / 4, HALF]]),
    "absolute": ([0], [[0, -1], [0, 1]]),
    "quartic": ([], [[0, 0, -1, 0, 1]]),
    "tilted": ([], [[0, 3, 1]]),
}
LOSSES = [Huber(), Absolute(), Quartic(), Tilted()]


class OtherPlain(Plain):
    """A risk with one of these losses."""

    def __init__(self, risk):
        network = risk.network
        self.widths, self.biases = network.widths, network.biases
        self.activations = [shape_of(h) for h in (*network.activations, network.output_activation)]
        self.smooth, self.number = False, Fraction
        self.X, self.y = table(risk.exact_X), table(risk.exact_y)
        self.decays, self.kind = decays(risk), risk.loss.kind
        self.held = (False,) * risk.dimension
        self.knots, self.laws = LAWS[self.kind]
        self.degree = max(map(len, self.laws)) * len(self.activations)

    def run(self, w, frozen=None):
        kind, self.kind = self.kind, "squared"
        found = super().run(w, frozen)
        self.kind = kind
        if kind == "squared":  # an oracle that asks for outputs only
            return found
        return [
            (steps, outputs, [a - b for a, b in zip(outputs, self.y[i], strict=True)])
            for i, (steps, outputs, _) in enumerate(found)
        ]

    def piece(self, m):
        return sum(m > t for t in self.knots)

    def state(self, w):
        pieces = super().state(w)[0]
        return pieces, [[self.piece(m) for m in margins] for *_, margins in self.run(w)]

    def ties(self, w):
        last = sum(h is not None for h in self.activations) + 1
        hidden = {tie for tie in super().ties(w) if tie[0] < last}
        return hidden | {
            (last, i, j)
            for i, (*_, margins) in enumerate(self.run(w))
            for j, m in enumerate(margins)
            if m in self.knots
        }

    def loss(self, w, frozen=None):
        total = 0
        for i, (*_, margins) in enumerate(self.run(w, frozen)):
            for j, m in enumerate(margins):
                law = self.laws[frozen[1][i][j] if frozen else self.piece(m)]
                total += sum(c * m**e for e, c in enumerate(law))
        return total

    def gradient(self, w, frozen=None):
        """The sum over margins of their slope times the gradient of the output, by differences:
        a polynomial of degree at most `degree` in each entry."""
        frozen, w = frozen or self.state(w), self.point(w)
        found = []
        for k in range(len(w)):
            moved = [[v + t * (j == k) for j, v in enumerate(w)] for t in range(self.degree + 1)]
            values = [self.risk(v, frozen) for v in moved]
            slope, sign = Fraction(0), 1
            for order in range(1, self.degree + 1):  # Newton's forward differences
                values = [b - a for a, b in pairwise(values)]
                slope, sign = slope + Fraction(sign, order) * values[0], -sign
            found.append(slope)
        return found


def cases():
    """A few settings of every kind, with each loss."""
    chosen = [
        BASE,
        *(s for s in SETTINGS if "squares" in s["loss"] and s["activation"] != "smooth"),
    ]
    for seed, setting in enumerate(chosen[:: max(1, len(chosen) // 3)]):
        if AXES["hidden"][setting["hidden"]] in ((2, 1, 2), (2, 1, 1, 2)):
            continue
        for loss in LOSSES:
            case = case_of(setting, seed)
            risk = case.risk
            risk = Risk(risk.network, risk.X, risk.y, loss, risk.weight_decay)
            found = Case(risk, case.points, case.rng)
            found.__dict__["plain"] = OtherPlain(risk)
            yield found


def home_cases():
    """A minimum of each loss that has one: an affine cell, and a point of risk 0."""
    fit = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 1, 2], Huber())
    bent = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3, 4, 6], [0, 2, 1, 5, 3, 4], Huber())
    apart = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, -1, 1], Absolute())
    for risk, w in (
        (fit, [1, 1, 1, -1]),
        (bent, ["9/14", 0, 20, 1, 1, 0, "-275/14"]),
        (apart, [0, 1, 0, 1]),
    ):
        found = Case(risk, [exact(w)] * 3)
        found.__dict__["plain"] = OtherPlain(risk)
        yield found


CASES = [*cases(), *home_cases()]


@pytest.mark.parametrize("name", ROWS)
def test_a_decided_answer_about_another_loss_is_right(name):
    if hasattr(ROWS[name], "key"):
        pytest.skip("asks about an activation only")
    for case in CASES:
        for ask, check in ROWS[name](CHECKERS[name], case):
            try:
                answer = ask()
            except REFUSALS:
                continue
            if answer.verdict != "unknown":
                try:
                    check(answer, case.rng)
                except AssertionError as error:
                    raise AssertionError(f"{case.risk}\n{case.risk.loss}\n{answer}") from error


def test_minima_and_descents_of_other_losses_are_found():
    seen = Counter()
    for case in CASES:
        for w in case.points:
            answer = CHECKERS["certify_local_minimum"](case.risk, w, trials=20)
            seen[case.risk.loss.kind, str(answer.verdict)] += 1
    for kind in ("Huber", "absolute"):
        assert seen[kind, "certified"]
        assert seen[kind, "refuted"]
    assert not seen["quartic", "certified"]
    assert seen["quartic", "refuted"]


@pytest.mark.parametrize("name", ROWS)
def test_a_loss_that_is_not_rational_is_left_to_balls(name):
    if hasattr(ROWS[name], "key"):
        pytest.skip("asks about an activation only")
    risk = Risk(Network((1, 2, 1), relu), [-1, 0, 2], [1, -1, 1], Logistic())
    case = Case(risk, [exact([1, -1, 0, 1, 1, 1, 0]), exact([1, 2, 1, 1, "1/2", -1, 0]),
                       exact([0, 0, 1, 1, 0, 0, "1/3"])])  # fmt: skip
    case.__dict__["plain"] = None
    for ask, _ in rows_without_oracles(name, case):
        try:
            answer = ask()
        except REFUSALS:
            continue
        about_outputs = name in ABOUT_OUTPUTS
        assert about_outputs or not answer.certified, answer
        if answer.refuted and "lower_point" in answer.witness:
            start = ask.args[1] if len(ask.args) > 1 else case.points[0]
            low = answer.witness["lower_point"]
            assert ball_risk(risk, low) < ball_risk(risk, exact(start))


ABOUT_OUTPUTS = {  # all that counts of the loss is that it is smooth
    "certify_forms", "certify_in_cell", "certify_layerwise_affine", "certify_linear_collapse",
    "certify_multilinear", "certify_null_walls", "certify_smooth", "certify_vanishing",
    "certify_disconnected", "ActivationCells.certify",
    "certify_autograd",
}  # fmt: skip


def rows_without_oracles(name, case):
    case.__dict__["plain"] = object()
    return ROWS[name](CHECKERS[name], case)
