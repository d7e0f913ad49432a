r"""The tangent risk of one hidden layer and one output: a sum over the units.

At a point w it is the risk with the loss replaced by its tangent at the outputs,
:math:`T(w') = \langle \nu, \hat y(w') \rangle + \tfrac{\lambda}{2} |w'|^2`. If it has a local
minimum at w, so has the risk: if the loss is convex, it
grows at least as much from w on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb, ctx, fmpq

from lscore.algebra.balls import balls
from lscore.algebra.matrices import RationalMatrix, exact, ones, stack
from lscore.cells.pattern import Located
from lscore.cells.rays import risk_along
from lscore.errors import SettingError
from lscore.minima.bends import Bent, bent
from lscore.model.passes import Frozen, Layer, layout

BITS = 512


def _unit_parts(hidden: Layer, out: Layer) -> list[tuple[RationalMatrix, fmpq]]:
    parts = [hidden.weight.T, *([] if hidden.bias is None else [hidden.bias.T])]
    columns = stack(parts)
    return [(columns.column(k), v) for k, v in enumerate(out.weight.entries())]


@dataclass(frozen=True, eq=False)
class Tangent:
    """The tangent risk at a point, for a derivative `pull` (n, 1) of the loss at its outputs."""

    at: Located
    pull: RationalMatrix
    limit: int

    @cached_property
    def data(self) -> RationalMatrix:
        """The inputs (n, D), with a 1 if hidden units have biases."""
        risk = self.at.risk
        return risk.exact_augmented if risk.network.biases[0] else risk.exact_X

    @cached_property
    def units(self) -> list[tuple[RationalMatrix, fmpq]]:
        """Per unit its input weights (D, 1), the bias last, and its output weight."""
        return _unit_parts(*self.at.run.layers)

    @cached_property
    def decays(self) -> list[tuple[RationalMatrix, fmpq]]:
        """The weight decay of each of these numbers."""
        risk = self.at.risk
        given = risk.weight_decay
        every = given if isinstance(given, RationalMatrix) else exact([given] * risk.dimension)
        return _unit_parts(*layout(risk.network, every))

    def _shrinkage(self, k: int) -> RationalMatrix:
        """The derivative of the decay by the input weights of a unit, (D, 1)."""
        z, decay = self.units[k][0].entries(), self.decays[k][0].entries()
        return exact([a * b for a, b in zip(z, decay, strict=True)])

    @cached_property
    def bends(self) -> list[Bent]:
        r"""Per unit :math:`\varphi(w_k + u) - \varphi(w_k)` for small u."""
        h, places = self.at.risk.network.activations[0], self.at.run.positions[0]
        n, width = places.shape
        repeated = self.pull @ ones(width).T
        steady = self.data.T @ Frozen([h], [places // 2]).slope(0, repeated)
        pull, found = self.pull.entries(), []
        for k in range(width):
            tied = [i for i in range(n) if places[i, k] % 2 and pull[i]]
            pieces = [places[i, k] // 2 for i in tied]
            weights = [
                pull[i] * (h.slopes[p + 1] - h.slopes[p]) for i, p in zip(tied, pieces, strict=True)
            ]
            rows = stack([self.data.rows(i, i + 1) for i in tied]) if tied else None
            found.append(bent(steady.column(k), rows, weights))
        return found

    def conditions(self) -> Iterator[tuple[str, Iterator[RationalMatrix]]]:
        """Texts, each with the directions that show that it is false: none if it is true.

        They say that the tangent risk has a local minimum, each on the ground of those before.
        """
        risk, used = self.at.risk, [k for k, (_, v) in enumerate(self.units) if v]
        unused = [k for k, (_, v) in enumerate(self.units) if not v]
        if risk.network.biases[1]:
            yield "the derivative by the output bias is 0", self._bias()
        yield "the derivatives by the output weights are 0", self._output_weights()
        if used:
            cases = sum(self.bends[k].cases(self._turned(k).concave) for k in used)
            text = f"no used unit descends: multipliers in {cases} case{'s' * (cases != 1)}"
            yield text, self._used(used)
        free = [k for k in unused if not self.decays[k][1] and self.decays[k][0].is_zero()]
        held = [k for k in unused if k not in free]
        if free:
            yield "around unused units nothing is pulled", self._unused(free)
        if used and risk.weight_decay:
            text = "no used unit has input weights that decay more than its output weight"
            yield text, self._longer(used)
        if held:
            yield "the input weights of unused units do not decay", self._idle(held)
            yield "unused units are pulled at most as much as they decay", self._corner(held)

    def _bias(self) -> Iterator[RationalMatrix]:
        decay = self.at.risk.shrinkage(self.at)[self.at.risk.dimension - 1, 0]
        slope = self.pull.dot(ones(len(self.pull))) + decay
        if slope:
            yield self.move(shift=-slope)

    def _output_weights(self) -> Iterator[RationalMatrix]:
        slopes = (self.at.run.inputs[1].T @ self.pull).entries()
        for k, phi in enumerate(slopes):
            if slope := phi + self.decays[k][1] * self.units[k][1]:
                yield self.move(k, turn=-slope)

    def _turned(self, k: int) -> Bent:
        """The derivative of the tangent risk by the input weights of a used unit."""
        return self.bends[k].scaled(self.units[k][1], self._shrinkage(k))

    def _used(self, used: list[int]) -> Iterator[RationalMatrix]:
        for k in used:
            u = self._turned(k).descent(self.limit)
            if u is not None:
                yield self.move(k, u)

    def _unused(self, unused: list[int]) -> Iterator[RationalMatrix]:
        r"""At order 2 a turn :math:`\eta` changes the risk by :math:`\eta g(u) + \eta^2 B`."""
        for k in unused:
            g = self.bends[k]
            if g.is_zero:
                continue
            u, bend = g.nonzero(), self._bend(k)
            yield self.move(k, u, -g(u) / (2 * bend) if bend > 0 else -g(u))

    def _bend(self, k: int) -> fmpq:
        r"""At least :math:`\tfrac12 \sum_i \ell_i''(\hat y_i) h(z_{ik})^2`, on both sides of a
        knot of the loss."""
        risk, signals = self.at.risk, self.at.run.inputs[1].column(k)
        if risk.loss.polynomial:
            bends = (
                risk_along(risk, self.at, self.move(k, turn=side)).change[2] for side in (1, -1)
            )
            return max(bends)
        with ctx.workprec(BITS):
            seconds = risk.loss.second(balls(self.at.run.outputs), risk.exact_y)[:, 0, 0]
            pairs = zip(seconds, signals.entries(), strict=True)
            total = sum((second * arb(s) ** 2 for second, s in pairs if s), arb(0)) / 2
            if not total.is_finite():
                text = f"loss: balls enclose no second derivative of the {risk.loss.kind} loss here"
                raise SettingError(text)
            mantissa, exponent = arb(total.upper()).man_exp()
        return fmpq(mantissa) * fmpq(2) ** int(exponent)

    def _longer(self, used: list[int]) -> Iterator[RationalMatrix]:
        for k in used:
            (z, v), (_, decay) = self.units[k], self.decays[k]
            inner, outer = z.dot(self._shrinkage(k)), decay * v * v
            if inner > outer:
                yield self.move(k, z, v * inner / outer if outer else v)

    def _idle(self, unused: list[int]) -> Iterator[RationalMatrix]:
        for k in unused:
            if not self._shrinkage(k).is_zero():
                yield self.move(k, -self.units[k][0])

    def _corner(self, unused: list[int]) -> Iterator[RationalMatrix]:
        for k in unused:
            inner, outer = self.decays[k]
            if self.bends[k].is_zero:
                continue
            if len(set(map(str, inner.entries()))) > 1 or not (outer and inner[0, 0]):
                raise SettingError(
                    f"risk: unit {k} is unused and pulled, and the weight decay differs within it, "
                    "need one for its input weights and bias, and one for its output weight"
                )
            u = self.bends[k].steeper(outer * inner[0, 0], self.limit)
            if u is not None:
                yield self.move(k, u, -self.bends[k](u) / outer)

    def move(self, k: int = 0, u: RationalMatrix | None = None, turn=0, shift=0) -> RationalMatrix:
        """The direction that moves unit k by u (D, 1) and its output weight by `turn`, and the
        output bias by `shift`."""
        network = self.at.risk.network
        d, width = network.widths[:2]
        entries = [fmpq(0)] * network.dimension
        if u is not None:
            entries[k * d : (k + 1) * d] = u.entries()[:d]
            entries[width * d + k : width * d + k + network.biases[0]] = u.entries()[d:]
        entries[width * (d + network.biases[0]) + k] += turn
        entries[-1] += shift
        return exact(entries)

    def speed(self, u: RationalMatrix) -> RationalMatrix:
        """The derivative (n, 1) of the outputs along a direction, kinks included."""
        network, (_, out) = self.at.risk.network, self.at.run.layers
        inner, outer = layout(network, u)
        places, rises = self.at.run.positions[0], inner(self.at.risk.exact_X)
        up = np.array([e > 0 for e in rises.entries()]).reshape(places.shape)
        pieces = places // 2 + (places % 2) * up
        moved = Frozen(network.activations, [pieces]).slope(0, rises) @ out.weight.T
        return moved + outer(self.at.run.inputs[1])
