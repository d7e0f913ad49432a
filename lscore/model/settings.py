r"""What a theorem assumes of a risk, as data.

A checker asks `Setting.misses` and answers unknown with the sentence; a construction calls
`Setting.require`, which raises `HypothesisError`. Losses and activations are named by a property.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix
from lscore.errors import HypothesisError, SettingError
from lscore.model.activations import PiecewiseLinear
from lscore.model.losses import Loss
from lscore.model.networks import Network
from lscore.model.risk import Risk

CLAIM = "YUN-T1"
LOSSES = {  # a formula is taken from losses that are `proved` only, other facts from all
    "squared loss": lambda loss: loss.proved and loss.quadratic,
    "mean squared loss": lambda loss: (
        loss.proved and loss.quadratic and loss.scale(1) == 2 * loss.scale(2)
    ),
    "half the mean squared error": lambda loss: (
        loss.proved and loss.quadratic and loss.scale(1) == 2 * loss.scale(2) == fmpq(1, 2)
    ),
    "convex loss": lambda loss: loss.convex,
    "differentiable loss": lambda loss: loss.smooth,
    "polynomial loss": lambda loss: loss.polynomial and not loss.knots,
    "piecewise linear loss": lambda loss: loss.piecewise_linear,
    "convex piecewise linear loss": lambda loss: (
        loss.convex and loss.piecewise_linear and loss.polynomial and bool(loss.knots)
    ),
    "cross-entropy": lambda loss: loss.proved and loss.kind in ("cross-entropy", "logistic"),
    "hinge loss": lambda loss: loss.hinge,
    "one of the hinge losses": lambda loss: loss.proved and loss.hinge,
    "binary hinge loss": lambda loss: loss.proved and loss.hinge and loss.kind == "binary",
    "one versus all hinge loss": lambda loss: (
        loss.proved and loss.hinge and loss.kind == "one versus all"
    ),
    "binary or multiclass hinge loss": lambda loss: (
        loss.proved and loss.hinge and loss.kind in ("binary", "multiclass")
    ),
}
ACTIVATIONS = {  # each of a piecewise linear one
    "piecewise linear": lambda h: True,
    "identity": lambda h: h.is_linear and h.slopes[0] == 1 and h.value == 0,
    "homogeneous": lambda h: h.value == 0 and h.knots in ((), (fmpq(0),)),
    "two-piece": lambda h: h.value == 0 and h.knots == (fmpq(0),) and not h.is_linear,
    "every piece through 0": lambda h: not any(h.intercepts),
    "|slope| <= 1": lambda h: max(map(abs, h.slopes)) <= 1,
    "ReLU": lambda h: h.value == 0 and h.knots == (fmpq(0),) and h.slopes == (0, 1),
}


@dataclass(frozen=True)
class Setting:
    """Facts of a risk; None and () admit anything, but nothing frozen.

    `inputs`, `hidden`, `outputs`: how many inputs, hidden layers and outputs. `biases`,
    `output_activation`, `weight_decay`: whether there are. `one_decay`: whether weight decay has to
    be one number for all parameters. `activations`: keys of `ACTIVATIONS` that each activation has,
    that of the output included. `loss`: a key of `LOSSES`. `frozen`: whether parameters may be, of
    which few theorems know. A `Network` is asked for what it has.

    >>> from lscore.model.activations import relu
    >>> milne = Setting(hidden=1, biases=False, activations=("homogeneous",))
    >>> milne.misses(Network((1, 2, 1), relu)), milne.misses(Network((1, 2, 1), relu, bias=False))
    ('got biases, need no biases', '')
    """

    inputs: int | None = None
    hidden: int | None = None
    outputs: int | None = None
    biases: bool | None = None
    output_activation: bool | None = None
    activations: tuple[str, ...] = ()
    loss: str | None = None
    weight_decay: bool | None = None
    one_decay: bool = False
    frozen: bool = False

    def misses(self, risk: Risk | Network) -> str:
        """The first fact that does not hold, as a sentence; empty if all hold."""
        return next((f"got {given}, need {need}" for need, given, _ in self._misses(risk)), "")

    def require(self, risk: Risk | Network, claim: str | None = None) -> None:
        """Raise `HypothesisError` for the first fact that does not hold; the witness is what is
        there instead: a number, an activation, a loss. Without a claim, `SettingError`."""
        for need, given, witness in self._misses(risk):
            if claim is None:
                raise SettingError(f"risk: got {given}, need {need}")
            raise HypothesisError(claim, need, f"got {given}", witness)

    def _misses(self, risk: Risk | Network) -> Iterator[tuple[str, str, object]]:
        """(what is needed, what is there, witness) for each fact that does not hold."""
        network = risk if isinstance(risk, Network) else risk.network
        decay, outer = getattr(risk, "weight_decay", 0), network.output_activation
        if self.loss and not LOSSES[self.loss](risk.loss):
            yield self.loss, _loss_name(risk.loss), risk.loss
        for noun, needed, found in (
            ("input", self.inputs, network.widths[0]),
            ("hidden layer", self.hidden, len(network.widths) - 2),
            ("output", self.outputs, network.widths[-1]),
        ):
            if needed not in (None, found):
                yield _count(needed, noun), _count(found, noun), found
        if self.biases is not None and network.bias is not self.biases:
            yield *_biases(network, self.biases), network
        for noun, needed, found, witness in (
            ("output activation", self.output_activation, outer is not None, outer),
            ("weight decay", self.weight_decay, bool(decay), decay),
        ):
            if needed not in (None, found):
                yield (noun, f"no {noun}", witness) if needed else (f"no {noun}", noun, witness)
        if self.one_decay and isinstance(decay, RationalMatrix):
            yield "one weight decay for all parameters", "several", decay
        if getattr(risk, "frozen", ()) and not self.frozen:
            yield "no frozen parameters", "frozen parameters", risk.frozen
        for h in (*network.activations, *([outer] if outer else [])):
            for need in self.activations:
                if not (isinstance(h, PiecewiseLinear) and ACTIVATIONS[need](h)):
                    yield need, h.name, h


def _loss_name(loss: Loss) -> str:
    own = "" if loss.proved else " of somebody's own"
    if loss.quadratic:
        return repr(loss) + own  # its scale may be what is asked for
    return f"{loss.kind} {'hinge ' if loss.hinge else ''}loss{own}"


def _biases(network: Network, needed: bool) -> tuple[str, str]:
    """What is needed and what is there, where not every layer is as needed."""
    if isinstance(network.bias, bool):
        return ("biases", "no biases") if needed else ("no biases", "biases")
    layer = network.biases.index(not needed) + 1
    every, lacking = "a bias in every layer", f"no bias in layer {layer}"
    return (every, lacking) if needed else ("no biases", f"a bias in layer {layer}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


SQUARED_HIDDEN = Setting(
    hidden=1, biases=True, output_activation=False, loss="squared loss", weight_decay=False
)

ONE_OUTPUT = replace(SQUARED_HIDDEN, outputs=1)
ONE_TO_ONE = replace(ONE_OUTPUT, inputs=1)


@checked
def slopes(risk: Risk) -> tuple[fmpq, fmpq]:
    """(s_plus, s_minus) of the network, after checking the setting of Theorem 1, YUN-T1.

    Raises `HypothesisError`: C1.3 for an activation that is not two-piece, else as `Setting`.
    """
    SQUARED_HIDDEN.require(risk, CLAIM)
    h = risk.network.activations[0]
    if not isinstance(h, PiecewiseLinear) or h.knots != (fmpq(0),) or h.value != 0:
        raise HypothesisError(
            CLAIM, "C1.3", f"the activation {h.name} is not two-piece with its kink at 0", h
        )
    return h.slopes[1], h.slopes[0]


def check_width(risk: Risk, needed: int, what: str) -> None:
    """Raise `HypothesisError` C1.4 if the hidden layer is narrower than `needed` for `what`."""
    width = risk.network.widths[1]
    if width < needed:
        raise HypothesisError(
            CLAIM, "C1.4", f"the hidden layer has width {width}, {what} needs {needed}", width
        )
