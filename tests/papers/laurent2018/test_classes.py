"""Active yet unsolved data at certified minima, and the zero-loss networks of the same width."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import fraction
from named_kinks import numbers

from lscore import (
    Network,
    Risk,
    certify_local_minimum,
    exact,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
    two_piece,
)
from lscore.errors import BudgetError, DataError, HypothesisError, ShapeError
from lscore.model.hinges import HingeLoss
from lscore.papers.laurent2018 import (
    active_minimum,
    active_unsolved,
    halves_curve,
    separating_map,
    split_unit,
    zero_loss_point,
)

# loss, tied margins, active yet unsolved (sample, class); a hand count where the paper has a figure
POINTS = {
    "S8": ("221/200", 7, [(1, 1), (1, 3), (2, 0), (3, 3), (6, 2), (7, 0), (7, 1)]),
    "S12": ("55799/80496", 7, [(0, 2), (1, 3), (4, 2), (6, 0), (7, 1), (10, 0)]),
    "S9": ("54023/102396", 5, [(1, 1), (3, 2), (4, 0), (6, 1)]),
    "alive": ("54023/136528", 5, [(1, 1), (3, 2), (4, 0), (6, 1)]),
    "O8": ("131/72", 10, None),
    "O12": ("14/9", 24, [(i, [1, 0, 3, 2][i // 3]) for i in range(12)]),
}


def by_hand(found):
    """Loss, number of ties and positive margins from the definitions, in Fractions."""
    risk, w = found.risk, numbers(found.point)
    R = risk.network.widths[2]
    W, b, V, c = [w[0:2], w[2:4]], w[4:6], w[6 : 6 + 2 * R], w[6 + 2 * R :]
    X = [numbers(risk.exact_X.rows(i, i + 1)) for i in range(len(risk.y))]
    labels, total, ties, unsolved = np.argmax(risk.y.numpy(), axis=1), Fraction(0), 0, []
    for i, x in enumerate(X):
        h = [max(sum(a * e for a, e in zip(W[k], x, strict=True)) + b[k], 0) for k in range(2)]
        out = [V[2 * r] * h[0] + V[2 * r + 1] * h[1] + c[r] for r in range(R)]
        own = labels[i]
        size = sum(labels == own)
        for r in range(R):
            if risk.loss.kind == "multiclass":
                mu, m = Fraction(1, len(X)), 1 + out[r] - out[own]
                if r == own:
                    continue
            else:
                mu = Fraction(1, int(2 * (size if r == own else len(X) - sum(labels == r))))
                m = 1 - out[r] * (1 if r == own else -1)
            total += mu * max(m, 0)
            ties += m == 0
            unsolved += [(i, r)] if m > 0 and any(h) else []
    return total, ties, unsolved


@pytest.mark.parametrize("name", POINTS)
def test_losses_ties_and_active_unsolved_data(name):
    found, (loss, ties, pairs) = active_minimum(name), POINTS[name]
    assert by_hand(found)[:2] == (Fraction(loss), ties)
    assert fraction(found.risk(found.point)) == Fraction(loss)
    listed = [(i, r) for i, r, _ in active_unsolved(found.risk, found.point)]
    assert set(listed) <= set(by_hand(found)[2])
    assert pairs is None or listed == pairs


@pytest.mark.parametrize("name", POINTS)
def test_the_same_width_reaches_zero(name):
    found = active_minimum(name)
    solved = zero_loss_point(found.risk)
    assert found.risk(solved) == 0 < found.risk(found.point)
    answer = certify_local_minimum(found.risk, found.point)
    assert (answer.verdict, answer.claim) == ("certified", "LVB-S")


def test_the_perceptron_stops():
    clash = Risk(Network((1, 1, 2), relu), [0, 0], [0, 1], multiclass_hinge())
    with pytest.raises(BudgetError, match="solves all margins after 5"):
        separating_map(clash, limit=50)
    squares = Risk(Network((1, 1, 2), relu), [0, 1], [[0, 1], [1, 0]])
    with pytest.raises(HypothesisError):
        separating_map(squares)


def test_zero_loss_of_other_activations_and_widths():
    X, y = [[0, 1], [5, -2], [-3, -3]], [0, 1, 2]
    for h in (leaky_relu("1/4"), two_piece(-2, 0)):
        for loss in (multiclass_hinge(), one_versus_all_hinge()):
            risk = Risk(Network((2, 3, 3), h), X, y, loss)
            assert risk(zero_loss_point(risk)) == 0
    for network in (Network((2, 1, 3), relu), Network((2, 2, 3), two_piece(0, 1))):
        with pytest.raises(HypothesisError):
            zero_loss_point(Risk(network, X, y, multiclass_hinge()))


def test_halves_are_built_only_where_they_fit():
    found = active_minimum("alive")
    with pytest.raises(HypothesisError, match="in use"):
        split_unit(found.risk, found.point)
    with pytest.raises(HypothesisError, match="two equal units"):
        halves_curve(found.risk, found.point, separating_map(found.risk))
    with pytest.raises(DataError, match="need one of S8"):
        active_minimum("S7")


def test_units_and_maps_that_are_not_there():
    found = active_minimum("S8")
    A, split = separating_map(found.risk), split_unit(found.risk, found.point)
    for name in ("unit", "idle"):
        for k in (-1, 2):
            with pytest.raises(DataError, match=f"{name}: got {k}, need a unit from 0 to 1"):
                split_unit(found.risk, found.point, **{name: k})
    with pytest.raises(DataError, match="other: got 7"):
        halves_curve(found.risk, split, A, other=7)
    with pytest.raises(HypothesisError, match="two equal units"):
        halves_curve(found.risk, split, A, unit=0, other=0)
    with pytest.raises(ShapeError, match=r"A: shape \(4, 2\), need \(4, 3\)"):
        halves_curve(found.risk, split, exact([[1, 2]] * 4))


def test_what_the_constructions_do_not_know_is_refused():
    """Weight decay, a hinge loss with other margins, units with slope 0 where they are on."""
    found = active_minimum("S8")
    risk, w = found.risk, split_unit(found.risk, found.point)
    A, labels = separating_map(risk), risk.y.argmax(1).numpy()
    decayed = replace(risk, weight_decay=1)
    for refused in (
        lambda: zero_loss_point(decayed),
        lambda: halves_curve(decayed, w, A),
        lambda: separating_map(Risk(risk.network, risk.X, labels, Wider("multiclass"))),
    ):
        with pytest.raises(HypothesisError):
            refused()
    flat = replace(risk, network=Network((2, 2, 4), two_piece(0, 1)))
    with pytest.raises(HypothesisError, match="a slope there other than 0"):
        halves_curve(flat, w, A)
    assert not active_unsolved(flat, w)


class Wider(HingeLoss):
    """A hinge loss whose margins are 2 wide: no map for 1 has to solve them."""

    def margins(self, outputs, targets):
        return super().margins(outputs, targets) + 1


@pytest.mark.parametrize("name", ["S8", "S9", "O8", "O12"])
def test_the_outputs_move_towards_the_map_along_the_curve(name):
    found = active_minimum(name)
    risk, A = found.risk, separating_map(found.risk)
    split = split_unit(risk, found.point)
    curve, t = halves_curve(risk, split, A), Fraction(1, 1000)
    moved = risk.network(split + curve @ exact([t, t * t]), risk.exact_X)
    start, end = risk.network(split, risk.exact_X), risk.exact_augmented @ A.T
    assert moved == start + (end - start) * (t * t)
    end_risk = fraction(risk(split + curve @ exact([t, t * t])))
    assert end_risk <= (1 - t * t) * fraction(risk(split))
