"""What certificates of cells, data and the toy surface say, line by line, in a yes- and a no-case.

A line that vanishes, holds where it should fail, or speaks of something else is a wrong verdict in
the making: every text is written down here.
"""

from dataclasses import replace

import pytest
from cases import CERTIFIED, REFUTED, UNKNOWN
from flint import fmpq

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    activation_cells,
    binary_hinge,
    cell_at,
    exact,
    identity,
    leaky_relu,
    relu,
    two_piece,
)
from lscore.cells.forms import (
    cell_polynomial,
    certify_backpropagation,
    certify_forms,
    certify_multilinear,
)
from lscore.minima.autograd import certify_autograd
from lscore.papers.laurent2018 import (
    LabelledData,
    certify_flat,
    certify_flat_is_optimal,
    certify_generic,
    certify_vanishing,
)
from lscore.papers.milne2019 import certify_layer_balance, certify_membership, certify_only_minimum

HALF = SquaredLoss("1/2", mean=True)
HINGED = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
ONE = Risk(Network((1, 1, 1), relu), [2.0], [1], binary_hinge())
RARE = LabelledData([-1, 0, 1], [1, -1, 1], ["1/4", "1/2", "1/4"], "1/2")
LINE = activation_cells([[0], [1], [2]])


def hinged(h, x, y, **keywords):
    return Risk(Network((1, 2, 1), h, **keywords), x, y, binary_hinge())


def toy(decay="1/4", widths=(1, 1, 1), x=(1,), y=("1/2",), h=relu):
    return Risk(Network(widths, h, bias=False), list(x), list(y), HALF, decay)


def listed(**changes):
    return replace(LINE, **changes).certify()


def shared():
    """A cell's polynomial with one parameter in both layers."""
    cell = cell_at(ONE, exact([1, 1, "1/4", 0]))
    p = cell_polynomial(cell)
    a, _, v, _ = p.context().gens()
    return certify_multilinear(cell, p + a * a * v)


def foreign():
    """A polynomial with a monomial of two biases, which no form has."""
    cell = cell_at(ONE, exact([1, 1, "1/4", 0]))
    p = cell_polynomial(cell)
    _, b, _, c = p.context().gens()
    return certify_multilinear(cell, p + b * c)


def wrong_witness():
    witnesses = LINE.witnesses.copy()
    witnesses[0] = -witnesses[0]
    return listed(witnesses=witnesses)


PULLS = "the pulls balance along every path"
MONOMIALS = (
    "every monomial takes at most one entry of each parameter tensor",
    "the tensors of every monomial are those of one form",
    "the Laplacian is the zero polynomial",
)
BALANCE = (
    "the gradient is 0",
    "the point is not 0",
    "(i) all layers have the same norm",
    "(ii) w'Bw = -H lambda |w|^2",
    "(iii) 2 l r^2 |W|_*^(2(H-1)) >= lambda^2",
)
ROWS = (
    "every row is the pattern of its witness",
    "the rows are distinct",
    "their number is 6: no data of this shape have more",
)
COUNTED = "their number is 6: Zaslavsky's count for these data"
LEAKY = ("every layer has biases", "the leaky slope is positive")


def lines(*pairs):
    return [(text, holds) for text, holds in pairs]


CASES = {
    "generic, classes come apart": (
        lambda: certify_generic(LabelledData([0, 1, 2], [0, 1, 2])),
        CERTIFIED,
        lines(
            ("class 0 is linearly separable from class 1, 2", True),
            ("class 1 is linearly separable from class 2", True),
        ),
    ),
    "generic, by the search": (
        lambda: certify_generic(LabelledData([-1, 0, 1], [1, -1, 1], alpha="1/3")),
        CERTIFIED,
        lines(("no choice for 3 samples balances: 9 and 3 partial sums compared", True)),
    ),
    "rare": (
        lambda: certify_generic(RARE),
        REFUTED,
        lines(("no choice for 3 samples balances: 9 and 3 partial sums compared", False)),
    ),
    "rare or generic, above the limit": (
        lambda: certify_generic(LabelledData([-1, 0, 1], [1, -1, 1], alpha="1/3"), limit=2),
        UNKNOWN,
        lines(("no choice for 3 samples balances: 3 and 1 partial sums compared", None)),
    ),
    "flat": (
        lambda: certify_flat(cell_at(HINGED, exact([0, -1, 1, 0]))),
        CERTIFIED,
        lines((f"{PULLS}: 3 sums over the samples are 0", True)),
    ),
    "not flat": (
        lambda: certify_flat(cell_at(HINGED, exact([1, 2, "1/9", 0]))),
        REFUTED,
        lines((PULLS, False)),
    ),
    "every matrix": (
        lambda: certify_vanishing(exact([[1, 2], [-1, -2]]), exact([2, 2])),
        CERTIFIED,
        lines(("the inputs balance for each of the 2 diagonal entries", True)),
    ),
    "not every matrix": (
        lambda: certify_vanishing(exact([[1, 1], [-1, 0]]), exact([2, 2])),
        REFUTED,
        lines(("the inputs balance for each of the 2 diagonal entries", False)),
    ),
    "flat cells are optimal": (
        lambda: certify_flat_is_optimal(hinged(leaky_relu("1/9"), [0, 1], [-1, 1])),
        CERTIFIED,
        lines(
            (LEAKY[0], True),
            (LEAKY[1], True),
            ("class -1 is linearly separable from class +1", True),
        ),
    ),
    "a flat cell with a loss": (
        lambda: certify_flat_is_optimal(HINGED, exact([0, -1, 1, 0])),
        REFUTED,
        lines(
            (f"{PULLS}: 3 sums over the samples are 0", True),
            ("the loss of that flat cell is 0", False),
        ),
    ),
    "flat cells without biases": (
        lambda: certify_flat_is_optimal(hinged(leaky_relu("1/9"), [0, 1], [-1, 1], bias=False)),
        UNKNOWN,
        lines(
            (LEAKY[0], False),
            (LEAKY[1], True),
            ("class -1 is linearly separable from class +1", True),
        ),
    ),
    "flat cells of a ReLU": (
        lambda: certify_flat_is_optimal(HINGED),
        UNKNOWN,
        lines(
            (LEAKY[0], True),
            (LEAKY[1], False),
            ("no choice for 2 samples balances: 2 and 1 partial sums compared", False),
        ),
    ),
    "flat cells on rare data": (
        lambda: certify_flat_is_optimal(hinged(identity, [-1, 0, 0, 1], [1, -1, -1, 1])),
        UNKNOWN,
        lines(
            (LEAKY[0], True),
            (LEAKY[1], True),
            ("no choice for 4 samples balances: 3 and 4 partial sums compared", False),
        ),
    ),
    "balanced": (
        lambda: certify_layer_balance(toy(), exact(["1/2", "1/2"])),
        CERTIFIED,
        lines(*((text, True) for text in BALANCE)),
    ),
    "a slope of 2": (
        lambda: certify_layer_balance(toy(h=two_piece(2, 0), y=["5/8"]), exact(["1/2", "1/2"])),
        REFUTED,
        lines(*((text, True) for text in BALANCE[:4]), (BALANCE[4], False)),
    ),
    "not critical": (
        lambda: certify_layer_balance(toy(), exact([1, "1/2"])),
        UNKNOWN,
        lines((BALANCE[0], False), (BALANCE[1], True)),
    ),
    "the zero network": (
        lambda: certify_layer_balance(toy(h=identity), exact([0, 0])),
        UNKNOWN,
        lines((BALANCE[0], True), (BALANCE[1], False)),
    ),
    "on a kink": (lambda: certify_layer_balance(toy(), exact([0, 0])), UNKNOWN, []),
    "inside U": (
        lambda: certify_membership(toy(), exact([1, "1/2"])),
        CERTIFIED,
        lines(("8 l r^2 < (lambda - theta)^2", True)),
    ),
    "outside U": (
        lambda: certify_membership(toy(), exact([0, 0])),
        REFUTED,
        lines(("8 l r^2 < (lambda - theta)^2", False)),
    ),
    "only 0": (
        lambda: certify_only_minimum(toy("1/2")),
        CERTIFIED,
        lines(("|B+| <= lambda", True), ("|B-| <= lambda", True)),
    ),
    "not only 0, by the positive side": (
        lambda: certify_only_minimum(toy()),
        REFUTED,
        lines(("|B+| <= lambda", False), ("|B-| <= lambda", True)),
    ),
    "not only 0, by the negative side": (
        lambda: certify_only_minimum(toy(x=[-1])),
        REFUTED,
        lines(("|B+| <= lambda", True), ("|B-| <= lambda", False)),
    ),
    "all patterns": (LINE.certify, CERTIFIED, lines(*((text, True) for text in ROWS))),
    "a pattern is missing": (
        lambda: listed(packed=LINE.packed[1:], witnesses=LINE.witnesses[1:]),
        REFUTED,
        lines((ROWS[0], True), (ROWS[1], True), (COUNTED, False)),
    ),
    "a pattern twice": (
        lambda: listed(
            packed=LINE.packed[[0, 1, 2, 3, 4, 4]], witnesses=LINE.witnesses[[0, 1, 2, 3, 4, 4]]
        ),
        REFUTED,
        lines((ROWS[0], True), (ROWS[1], False), (ROWS[2], True)),
    ),
    "a wrong witness": (
        wrong_witness,
        UNKNOWN,
        lines((ROWS[0], False), (ROWS[1], True), (ROWS[2], True)),
    ),
    "patterns of a zero sample": (
        lambda: activation_cells([[0], [1]], bias=False).certify(),
        CERTIFIED,
        lines(
            (ROWS[0], True),
            (ROWS[1], True),
            ("their number is 0: sample 0 is zero, so no parameters lie in a cell", True),
        ),
    ),
    "forms": (
        lambda: certify_forms(cell_at(ONE, exact([1, 1, "1/4", 0])), exact([1, 1, "1/8", 0])),
        CERTIFIED,
        lines(("the sum of the forms equals the risk", True)),
    ),
    "forms elsewhere": (
        lambda: certify_forms(cell_at(ONE, exact([1, 1, "1/4", 0])), exact([1, 1, 1, 0])),
        REFUTED,
        lines(("the sum of the forms equals the risk", False)),
    ),
    "gradients are forms": (
        lambda: certify_backpropagation(ONE, exact([1, 1, "1/4", 0])),
        CERTIFIED,
        lines(("equal for every weight matrix and bias", True)),
    ),
    "multilinear": (
        lambda: certify_multilinear(cell_at(ONE, exact([1, 1, "1/4", 0]))),
        CERTIFIED,
        lines(*((text, True) for text in MONOMIALS)),
    ),
    "a parameter twice": (
        shared,
        REFUTED,
        lines((MONOMIALS[0], False), (MONOMIALS[1], True), (MONOMIALS[2], False)),
    ),
    "two biases": (
        foreign,
        REFUTED,
        lines((MONOMIALS[0], True), (MONOMIALS[1], False), (MONOMIALS[2], True)),
    ),
    "autograd with biases": (
        lambda: certify_autograd(
            Risk(Network((1, 1, 1), relu), [0, 1], [1, 1]), exact([0, 0, 1, 0])
        ),
        CERTIFIED,
        lines(
            ("the ray along a direction enters the cell that autograd uses, 2 ties broken", True)
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_line_of_the_certificate(name):
    decide, verdict, expected = CASES[name]
    answer = decide()
    assert (answer.verdict, [(c.text, c.holds) for c in answer.conditions]) == (verdict, expected)
    for text, holds in expected:
        assert f"  { ({True: 'holds', False: 'fails', None: 'undecided'}[holds]):<9} {text}" in str(
            answer
        )


def test_a_refuted_certificate_has_a_line_that_fails():
    refuted = [expected for _, verdict, expected in CASES.values() if verdict == REFUTED]
    assert len(refuted) > 10
    assert all(any(holds is False for _, holds in expected) for expected in refuted)


def test_margins_and_reasons():
    balanced = certify_layer_balance(toy(), exact(["1/2", "1/2"]))
    assert [c.margin for c in balanced.conditions] == [None] * 4 + [fmpq(0)]
    steep = certify_layer_balance(toy(h=two_piece(2, 0), y=["5/8"]), exact(["1/2", "1/2"]))
    assert dict(steep.witness) == {"fails": BALANCE[4]}
    assert certify_layer_balance(toy(), exact([1, "1/2"])).reason == "a gradient entry is 1/4"
    assert certify_layer_balance(toy(h=identity), exact([0, 0])).reason == "the point is 0"
    assert "on a knot" in certify_layer_balance(toy(), exact([0, 0])).reason
    assert [c.margin for c in certify_only_minimum(toy()).conditions] == [fmpq(-1, 4), fmpq(1, 4)]
    rare = certify_flat_is_optimal(hinged(identity, [-1, 0, 0, 1], [1, -1, -1, 1]))
    assert rare.reason == "the data are rare"
    assert wrong_witness().reason == "row 0 is not the pattern of its witness"
    assert certify_membership(toy(), exact([0, 0])).conditions[0].margin == fmpq(-15, 16)
