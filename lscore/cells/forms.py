r"""The risk of one cell as a polynomial: its multilinear forms, and the same in symbols.

On a cell of a hinge risk the loss is :math:`\varphi_0 + \dots + \varphi_{L+1} + \varphi_{L+2}`
(LVB-T1): each form takes one weight matrix from every layer above its source, which is the data, a
bias, or an intercept of the activation. `forms` evaluates them; `cell_polynomial` writes the same
risk out in the parameters, with rational coefficients, so that "multilinear" can be read off the
monomials.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import object_array
from lscore.algebra.matrices import RationalMatrix, exact, ones, zeros
from lscore.cells.pattern import Cell, cell_at, frozen_pass
from lscore.certificates import Certificate, Condition, Question
from lscore.model.networks import Network, Point
from lscore.model.passes import Layer, forward
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_FORMS = Question("LVB-T1", "the risk at the point is the sum of the cell's forms")
_BACK = Question("LVB-B-T1-1", "parameters times gradients are sums of the forms, tensor by tensor")
_MULTILINEAR = Question("LVB-T1", "the risk is a sum of multilinear forms on the cell")


@dataclass(frozen=True, eq=False)
class Form:
    """One multilinear form of a cell, callable at any exact point.

    `blocks` names the parameter tensors it is linear in, such as ("W1", "W2"); W and b are
    counted from 1, the last layer is the output layer. The constant has no blocks.
    """

    cell: Cell
    source: str
    layer: int
    blocks: tuple[str, ...]

    def __call__(self, w: RationalMatrix) -> fmpq:
        """The value of the form: an fmpq."""
        cell, layers = self.cell, self.cell.risk.network.unpack(w)
        X, nothing = cell.risk.exact_X, cell.risk.exact_y * 0
        if self.source == "constant":
            return cell.loss(nothing)
        first, frozen = self.layer + (self.source != "data"), cell.frozen
        if self.source == "data":
            signal = X
        elif self.source == "bias":
            signal = frozen.slope(self.layer, ones(len(X)) @ layers[self.layer].bias.T)
        else:
            signal = frozen.bend(self.layer, zeros(len(X), len(layers[self.layer].weight)))
        linear = [Layer(layer.weight, None) for layer in layers[first:]]
        run = forward(linear, signal, lambda l, z: frozen.slope(first + l, z))
        return run.outputs.dot(cell.pull(nothing))


@checked
def forms(cell: Cell) -> list[Form]:
    r"""The forms of a hinge cell; their values sum to the frozen risk (LVB-T1).

    Order: :math:`\varphi_0` (data, W1 .. W_{L+1}), :math:`\varphi_l` (b_l, W_{l+1} ..) for
    l = 1..L+1, the forms of intercepts (none for ReLU-like activations), the constant
    :math:`\varphi_{L+2}`, the total weight of the unsolved terms. Any depth and hinge loss.
    Raises `HypothesisError` for other losses and for weight decay. Source: Laurent and von Brecht
    (2018), Theorem 1.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [2.0], [1], binary_hinge())
    >>> w = exact([1, 1, "1/4", 0])                       # margin 1 - (2 + 1)/4
    >>> [(form.blocks, form(w)) for form in forms(cell_at(risk, w))]
    [(('W1', 'W2'), -1/2), (('b1', 'W2'), -1/4), (('b2',), 0), ((), 1)]
    """
    network, risk = cell.risk.network, cell.risk
    Setting(loss="piecewise linear loss", weight_decay=False).require(risk, "LVB-T1")
    depth = len(network.widths) - 1
    weights = [f"W{l}" for l in range(1, depth + 1)]
    found = [Form(cell, "data", 0, tuple(weights))]
    for l, bias in enumerate(network.biases):
        found += [Form(cell, "bias", l, (f"b{l + 1}", *weights[l + 1 :]))] if bias else []
    for l, h in enumerate(network.switches):
        if any(c != 0 for c in h.intercepts):
            found.append(Form(cell, "intercept", l, tuple(weights[l + 1 :])))
    return [*found, Form(cell, "constant", 0, ())]


@_FORMS.checker
def certify_forms(cell: Cell, w: Point | np.ndarray) -> Certificate:
    """Is the risk at w the sum of the forms of this cell? At every point of the cell it is.

    Exact, at any point: inside the cell LVB-T1 says yes; at other points the forms go on with the
    cell's polynomial, and the difference refutes. Sound and complete for the one point; that the
    polynomial is multilinear is decided by `certify_multilinear`. Unknown for risks without
    `forms`. Source: Laurent and von Brecht (2018), Theorem 1.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [2.0], [1], binary_hinge())
    >>> cell = cell_at(risk, exact([1, 1, "1/4", 0]))
    >>> certify_forms(cell, exact([1, 1, 1, 0])).witness["sum_of_the_forms"]    # slack: risk 0
    -2
    """
    w = exact(cell.risk.network.point(w), "w")
    found, risk = forms(cell), cell.risk(w)
    total = sum((form(w) for form in found), fmpq(0))
    conditions = [Condition("the sum of the forms equals the risk", total == risk)]
    if total != risk:
        return _FORMS.refuted(conditions, {"risk": risk, "sum_of_the_forms": total})
    values = {"risk": risk, "forms": len(found), "point_in_the_cell": "yes" if w in cell else "no"}
    return _FORMS.certified(conditions, values=values)


@_BACK.checker
def certify_backpropagation(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is :math:`T \cdot \partial R / \partial T` the sum of the forms with T, for each tensor T?

    Inside a cell it is (LVB-B-T1-1), so one backward pass computes all forms. Exact: the gradient
    is backpropagation in rationals, the forms are those of the cell of w. Refuted with the tensor
    of another value, which would be an error in one of the two programs. Unknown on a wall and for
    risks without `forms`. Source: this book.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [2.0], [1], binary_hinge())
    >>> certify_backpropagation(risk, exact([1, 1, "1/4", 0])).values["b1"]
    -1/4
    """
    w = exact(risk.network.point(w), "w")
    found, gradient = forms(cell_at(risk, w)), risk.gradient(w)
    products, expected = {}, {}
    layers = zip(risk.network.unpack(w), risk.network.unpack(gradient), strict=True)
    for l, (layer, slope) in enumerate(layers, start=1):
        products[f"W{l}"] = layer.weight.dot(slope.weight)
        if layer.bias is not None:
            products[f"b{l}"] = layer.bias.dot(slope.bias)
    for name in products:
        expected[name] = sum((form(w) for form in found if name in form.blocks), fmpq(0))
    wrong = [name for name in products if products[name] != expected[name]]
    conditions = [Condition("equal for every weight matrix and bias", not wrong)]
    if wrong:
        witness = {"tensor": wrong[0], "product": products[wrong[0]], "forms": expected[wrong[0]]}
        return _BACK.refuted(conditions, witness)
    return _BACK.certified(conditions, values=products)


def parameter_names(network: Network) -> list[str]:
    """One name per entry of a point: ``W1_0_1`` is row 0, column 1 of the first weight matrix.

    >>> from lscore import relu
    >>> parameter_names(Network((1, 2, 1), relu))
    ['W1_0_0', 'W1_1_0', 'b1_0', 'b1_1', 'W2_0_0', 'W2_0_1', 'b2_0']
    """
    names = []
    for l, (out, inner) in enumerate(zip(network.widths[1:], network.widths, strict=False), 1):
        names += [f"W{l}_{i}_{j}" for i in range(out) for j in range(inner)]
        names += [f"b{l}_{i}" for i in range(out)] if network.biases[l - 1] else []
    return names


def variables(risk: Risk, start: RationalMatrix | None = None) -> list[fmpq_mpoly]:
    """One polynomial variable per parameter, named by `parameter_names`; added to `start`."""
    names = list(fmpq_mpoly_ctx.get(parameter_names(risk.network), Ordering.lex).gens())
    if start is None:
        return names
    start = risk.network.point(start, "start")
    return [u + s for u, s in zip(names, start.entries(), strict=True)]


@checked
def output_polynomials(cell: Cell, start: RationalMatrix | None = None) -> list[list[fmpq_mpoly]]:
    """The outputs (n, k) of the frozen network at start + u as polynomials in u (start 0).

    Multi-affine for every loss: no parameter tensor enters a monomial twice. The variables are
    named by `parameter_names`.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [2.0], [1])
    >>> output_polynomials(cell_at(risk, exact([1, 1, 1, 0])))
    [[2*W1_0_0*W2_0_0 + b1_0*W2_0_0 + b2_0]]
    """
    return frozen_pass(cell, variables(cell.risk, start)).outputs.tolist()


@checked
def cell_polynomial(cell: Cell, start: RationalMatrix | None = None) -> fmpq_mpoly:
    """The frozen risk at start + u as a polynomial in u (start 0 by default), exact.

    The variables are named by `parameter_names`. Any depth; any loss that is a polynomial on its
    pieces. The size grows quickly: meant for networks that fit on a page.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [2.0], [1], binary_hinge())
    >>> cell_polynomial(cell_at(risk, exact([1, 1, "1/4", 0])))
    -2*W1_0_0*W2_0_0 - b1_0*W2_0_0 - b2_0 + 1
    """
    point = variables(cell.risk, start)
    loss = cell.loss(frozen_pass(cell, point).outputs)
    return loss + cell.risk.penalty(object_array(point))


@checked
def monomials_by_block(p: fmpq_mpoly) -> dict[tuple[str, ...], int]:
    """How many monomials a polynomial has per list of parameter tensors.

    A tensor appears as often as its total degree, so a multilinear form has no repeated name.

    >>> c = fmpq_mpoly_ctx.get(["W1_0_0", "W1_0_1", "W2_0_0"], Ordering.lex)
    >>> a, b, v = c.gens()
    >>> monomials_by_block(a * v - 2 * b * v + a * b + 1)
    {('W1', 'W1'): 1, ('W1', 'W2'): 2, (): 1}
    """
    blocks = [name.split("_")[0] for name in p.context().names()]
    counts: Counter[tuple[str, ...]] = Counter()
    for exponents in p.to_dict():
        counts[tuple(b for b, e in zip(blocks, exponents, strict=True) for _ in range(e))] += 1
    return dict(sorted(counts.items(), key=lambda item: (-len(item[0]), item[0])))


@checked
def laplacian(p: fmpq_mpoly) -> fmpq_mpoly:
    """The sum of the second derivatives by every variable: the trace of the Hessian."""
    zero = p * 0
    return sum((p.derivative(j).derivative(j) for j in range(p.context().nvars())), zero)


@_MULTILINEAR.checker
def certify_multilinear(cell: Cell, polynomial: fmpq_mpoly | None = None) -> Certificate:
    r"""Is the frozen risk a sum of multilinear forms in the parameter tensors, as LVB-T1 says?

    Read off the polynomial's monomials in rationals: (i) every monomial takes at most one entry of
    each tensor, (ii) its tensors are those of one of the `forms`, (iii) the Laplacian, which is the
    trace of the Hessian, is the zero polynomial. `polynomial` replaces the cell's own, for
    instance one with shared parameters. Refuted with a monomial that is in no form. Sound and
    complete. Source: Laurent and von Brecht (2018), Theorem 1 and Corollary 2.
    """
    p = cell_polynomial(cell) if polynomial is None else polynomial
    allowed = {form.blocks for form in forms(cell)}
    found = monomials_by_block(p)
    repeated = [blocks for blocks in found if len(set(blocks)) < len(blocks)]
    foreign = [blocks for blocks in found if set(blocks) not in map(set, allowed)]
    trace = laplacian(p)
    conditions = (
        Condition("every monomial takes at most one entry of each parameter tensor", not repeated),
        Condition("the tensors of every monomial are those of one form", not foreign),
        Condition("the Laplacian is the zero polynomial", trace == 0),
    )
    values = {"monomials": sum(found.values()), "forms": len(allowed)}
    bad = repeated + foreign
    if bad:
        return _MULTILINEAR.refuted(conditions, {"monomial_in": bad[0]})
    return _MULTILINEAR.certified(conditions, values=values)
