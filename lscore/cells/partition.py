r"""The partition of parameter space into cells: what a point, or a pair of points, says about it.

Cells are open, and the walls between them are null sets if every layer has a bias. They need not be
convex (from three layers on) nor connected. Every decision is exact.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
from flint import fmpq, fmpq_mpoly

from lscore.algebra.matrices import RationalMatrix, exact, ones
from lscore.cells.forms import output_polynomials, parameter_names, variables
from lscore.cells.incident import stands
from lscore.cells.pattern import (
    Cell,
    Located,
    cell_at,
    frozen_pass,
    locate,
    pattern_at,
    switched,
    switches,
)
from lscore.cells.rays import cell_along
from lscore.certificates import Certificate, Condition, Question, show
from lscore.errors import TieError
from lscore.model.networks import Point
from lscore.model.passes import backward, layout, trace
from lscore.model.risk import Risk

_IN_CELL = Question("LVB-L1", "the point lies inside an open cell")
_NULL = Question("LVB-L1", "the points that lie in no cell form a null set")
_SMOOTH = Question("MILNE-L1", "the outputs are smooth around the point")
_AFFINE = Question("HE-T2a", "on the cell the outputs are affine in each layer's parameters")
_NOT_CONVEX = Question("HE-T2a", "the points have one signature and their midpoint has another")
_DISCONNECTED = Question(
    "HE-T2a", "the points have one signature and no path inside the cell joins them"
)


@_IN_CELL.checker
def certify_in_cell(risk: Risk, w: Point | np.ndarray) -> Certificate:
    """Does w lie inside an open cell? Certified with its clearance, refuted with its ties.

    Piecewise linear networks of any depth, any loss. Sound and complete. Source:
    Laurent and von Brecht (2018), Lemma 1 (LVB-L1).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [0, 1])
    >>> certify_in_cell(risk, exact([1, -1, 1, 0])).witness["ties"]
    [(1, 1, 0)]
    """
    w = locate(risk, w)
    found = w.pattern
    ties = len(found.ties)
    clear = Condition(
        "nothing lies on a knot" if not ties else f"nothing lies on a knot ({ties} ties)",
        not ties,
        w.clearance,
        "clearance",
    )
    return _IN_CELL.refuted([clear], {"ties": found.ties}) if ties else _IN_CELL.certified([clear])


def _off_layers(risk: Risk, w: Located) -> dict[int, int]:
    """Samples that a layer switches off to 0 around w: the sample and that layer, from 0."""
    found: dict[int, int] = {}
    pairs = zip(risk.network.switches, w.run.positions, strict=True)
    for l, (h, positions) in enumerate(pairs):
        for i, row in enumerate(positions.tolist()):
            inside = all(p % 2 == 0 for p in row)
            if inside and all(h.slopes[p // 2] == 0 == h.intercepts[p // 2] for p in row):
                found.setdefault(i, l)
    return found


@_NULL.checker
def certify_null_walls(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Do the points that lie in no cell form a null set? (LVB-L1)

    With a bias in every layer that has knots, yes: each pre-activation is its own bias plus
    something that does not depend on it, so each wall is a graph. The derivatives by the biases are
    computed, at w. So is each margin of a hinge loss (with biases in all layers), unless an output
    activation has a flat piece: then refuted if a margin is 0 all around w, else unknown. Else
    refuted if a layer is off at w for some sample while a later pre-activation, then 0 all around
    w, sits on a knot; else unknown. Sound.
    Source: Laurent and von Brecht (2018), Lemma 1.
    """
    w = locate(risk, w)
    bent = len(risk.network.switches)
    if all(risk.network.biases if risk.loss.knots else risk.network.biases[:bent]):
        conditions = [
            Condition(f"pre-activations of layer {l + 1} have derivative 1 by their bias", holds)
            for l, holds in enumerate(_own_bias(risk, w))
        ]
        if not conditions:
            conditions = [Condition("no pre-activation has a knot", True)]
        if not risk.loss.knots:
            return _NULL.certified(conditions)
        h = risk.network.output_activation
        felt = h is None or all(s != 0 for s in h.slopes)
        text = "every margin depends on an output bias"
        if felt:
            conditions.append(Condition(text, True))
            return _NULL.certified(conditions)
        if why := _held_margin(risk, w):
            conditions.append(Condition(text, False))
            return _NULL.refuted(conditions, {"point": w, "why": why})
        conditions.append(Condition(text, None))
        reason = "a flat piece of the output activation may hold a margin at 0"
        return _NULL.unknown(reason, conditions)
    off, pieces = _off_layers(risk, w), w.pattern.pieces
    biased = Condition("every layer has a bias", False)
    for l, i, k in w.pattern.ties:
        if off.get(i, l) < l - 1 < len(risk.network.switches):
            if not stands(risk, (l, i, k), pieces):  # nor is anything after it sure to
                del off[i]
                continue
            text = f"layer {off[i] + 1} is off for sample {i}: unit {k} of layer {l} is tied nearby"
            return _NULL.refuted([biased], {"point": w, "why": text})
    reason = "a layer has no bias, and no layer is switched off at the point"
    return _NULL.unknown(reason, [biased])


def _held_margin(risk: Risk, w: Located) -> str:
    """A margin that is 0 all around w because its outputs lie inside flat pieces; "" if none is."""
    h, (*_, outputs, margins) = risk.network.output_activation, w.pattern.layers
    for i, j in np.argwhere(margins % 2):
        places = outputs[i][risk.margin_lines[i, j] != 0].tolist()
        if all(p % 2 == 0 and h.slopes[p // 2] == 0 for p in places):
            knot = risk.loss.knots[margins[i, j] // 2]
            return f"margin {j} of sample {i} is {knot} all around"
    return ""


def _own_bias(risk: Risk, w: Located) -> list[bool]:
    """Per activated layer: does every pre-activation grow by 1 with all biases of its layer?"""
    network, X, answers = risk.network, risk.exact_X, []
    places = layout(network, np.arange(network.dimension))
    for l in range(len(network.switches)):
        step = [int(j in places[l].bias) for j in range(network.dimension)]
        grown = trace(network, w + exact(step), X).pre[l] - w.run.pre[l]
        answers.append(grown == ones(len(X)) @ ones(network.widths[l + 1]).T)
    return answers


@_SMOOTH.checker
def certify_smooth(risk: Risk, w: Point | np.ndarray, trials: int = 20) -> Certificate:
    r"""Are the outputs, as functions of the parameters, smooth around w? (MILNE-L1)

    Certified if no pre-activation lies on a knot, or only such that are 0 all around w because an
    earlier layer is off (where layers have no bias). Refuted with a direction u along which a
    derivative jumps: its values for small t > 0 and t < 0 differ. Unknown if none of `trials`
    integer directions shows a jump. Sound. Source: Milne (2019), Lemma 1.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [0, 1])
    >>> certify_smooth(risk, exact([1, -1, 1, 0])).verdict.value
    'refuted'
    """
    w = locate(risk, w)
    hidden = len(risk.network.switches)
    ties = [tie for tie in w.pattern.ties if tie[0] <= hidden]
    off = {} if all(risk.network.biases) else _off_layers(risk, w)
    pieces = w.pattern.pieces
    felt = [
        (l, i, k)
        for l, i, k in ties
        if not (off.get(i, l) < l - 1 and stands(risk, (l, i, k), pieces))
    ]
    still = Condition("no pre-activation lies on a knot", not ties)
    if ties and not felt:
        still = Condition(
            f"every tie (there are {len(ties)}) comes after a layer that is off", True
        )
    if not felt:
        return _SMOOTH.certified([still])
    rng = np.random.default_rng(0)
    for _ in range(trials):
        u = exact(rng.integers(-3, 4, risk.dimension).astype(float))
        try:
            slopes = [_output_slopes(cell_along(risk, w, v), w, u) for v in (u, -u)]
        except TieError:
            continue
        jumps = [(i, a, b) for i, (a, b) in enumerate(zip(*slopes, strict=True)) if a != b]
        if jumps:
            i, after, before = jumps[0]
            witness = {
                "direction": u,
                "output_of_sample": i,
                "slopes": f"{show(before)}, then {show(after)}",
            }
            return _SMOOTH.refuted([still], witness)
    reason = f"something is tied, but no derivative jumps along {trials} directions"
    return _SMOOTH.unknown(reason, [still])


def _output_slopes(cell: Cell, w: RationalMatrix, u: RationalMatrix) -> list[fmpq]:
    """The derivatives along u of the sums of outputs per sample, in the frozen network."""
    run = cell.forward(w)
    n, k = run.outputs.shape
    slopes = []
    for i in range(n):
        pull = exact([[int(row == i)] * k for row in range(n)])
        slopes.append(backward(run, pull, cell.frozen.slope).dot(u))
    return slopes


@_AFFINE.checker
def certify_layerwise_affine(
    cell: Cell, outputs: list[list[fmpq_mpoly]] | None = None
) -> Certificate:
    r"""Are all outputs, on the cell, affine in each layer's :math:`(W_l, b_l)` separately? (HE-T2a)

    Read off the polynomials of the frozen network: certified if no monomial has two factors from
    one layer, else refuted with one that does. `outputs` (n, k) replaces the cell's own
    polynomials, for instance by those with shared parameters. Any depth. Sound and complete.
    Source: He, Wang and Tao (2020), Theorem 2, part 1.
    """
    if outputs is None:
        outputs = output_polynomials(cell)
    layers = [name.split("_")[0][1:] for name in parameter_names(cell.risk.network)]
    monomials = {e for row in outputs for p in row for e in p.to_dict()}
    repeated = [
        exponents
        for exponents in monomials
        if any(
            sum(e for e, layer in zip(exponents, layers, strict=True) if layer == name) > 1
            for name in set(layers)
        )
    ]
    condition = Condition("no monomial takes two factors from one layer", not repeated)
    if repeated:
        names = zip(parameter_names(cell.risk.network), min(repeated), strict=True)
        witness = {"monomial": " ".join(name for name, e in names for _ in range(e))}
        return _AFFINE.refuted([condition], witness)
    return _AFFINE.certified([condition], values={"monomials": len(monomials)})


def _pair(risk: Risk, a: Point, b: Point) -> tuple:
    """Both points, exact, and the conditions that they have one signature and no tie."""
    a, b = (exact(risk.network.point(w), name) for w, name in ((a, "a"), (b, "b")))
    first, second = pattern_at(risk, a), pattern_at(risk, b)
    conditions = [
        Condition("no point lies on a wall", first.in_cell and second.in_cell),
        Condition("both points have the same signature", first == second),
    ]
    return a, b, first, conditions


@_NOT_CONVEX.checker
def certify_not_convex(risk: Risk, a: Point, b: Point) -> Certificate:
    """Do a and b show that their cell is not convex: is their midpoint outside it? (HE-T2a)

    Refuted if a and b do not lie in one cell or the midpoint does. Sound and complete as a
    statement about these two points. Source: remark after Theorem 2 of He, Wang and Tao (2020).
    """
    a, b, shared, conditions = _pair(risk, a, b)
    middle = (a + b) / 2
    found = pattern_at(risk, middle)
    conditions.append(Condition("the midpoint has another signature", found != shared))
    if all(c.holds for c in conditions):
        values = {"signatures_of_the_points_and_the_midpoint": f"{_line(shared)} | {_line(found)}"}
        return _NOT_CONVEX.certified(conditions, values=values)
    return _NOT_CONVEX.refuted(conditions, {"signature_of_the_midpoint": _line(found)})


def _line(found: object) -> str:
    return "; ".join(" ".join(line.split()) for line in str(found).splitlines())


@_DISCONNECTED.checker
def certify_disconnected(risk: Risk, a: Point, b: Point) -> Certificate:
    r"""Do a and b have the same signature while no path inside the cell joins them?

    Certified with a parameter of opposite signs at a and b that cannot be 0 in the cell: where it
    is 0, two of the polynomials that are positive in the cell have a constant sum :math:`\le 0`.
    Refuted if the signatures differ; unknown if no such parameter is found. Sound. Claim LVB-L1 for
    hinge losses, HE-T2a for others.
    """
    a, b, shared, conditions = _pair(risk, a, b)
    id = "LVB-L1" if risk.loss.knots else "HE-T2a"
    asked = replace(_DISCONNECTED, claim=id)
    if not all(c.holds for c in conditions):
        witness = {"signatures": f"{_line(shared)} | {_line(pattern_at(risk, b))}"}
        return asked.refuted(conditions, witness)
    cell, names = cell_at(risk, a), parameter_names(risk.network)
    for j, (left, right) in enumerate(zip(a.entries(), b.entries(), strict=True)):
        if left * right >= 0:
            continue
        point = variables(risk)
        point[j] *= 0
        for p, q in combinations_with_replacement(_positive(cell, point), 2):
            total = p + q
            if total.is_constant() and _constant(total) <= 0:
                text = f"{names[j]} changes its sign, and is never 0 in the cell"
                conditions.append(Condition(text, True))
                values = {"there_two_positive_polynomials_would_add_up_to": _constant(total)}
                return asked.certified(conditions, values=values)
    reason = "no parameter of opposite signs was shown to be non-zero in the cell"
    return asked.unknown(reason, conditions)


def _constant(p: fmpq_mpoly) -> fmpq:
    return next(iter(p.to_dict().values()), fmpq(0))


def _positive(cell: Cell, point: list[fmpq_mpoly]) -> list[fmpq_mpoly]:
    """Polynomials that are positive exactly on the cell: the distances of all signals to knots."""
    found, risk = [], cell.risk
    signals = switched(risk, frozen_pass(cell, point))
    for h, matrix, pieces in zip(switches(risk), signals, cell.pieces, strict=True):
        for z, p in zip(matrix.flat, pieces.ravel().tolist(), strict=True):
            found += [z - h.knots[p - 1]] if p else []
            found += [h.knots[p] - z] if p < len(h.knots) else []
    return found
