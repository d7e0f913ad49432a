r"""What a theorem assumes of a risk: the settings that several rooms check."""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.errors import DataError, HypothesisError
from lscore.model.networks import Network
from lscore.model.risk import Risk

CLAIM = "YUN-T1"


def check_network(risk: Risk) -> Network:
    """The network of a risk with one hidden layer, biases and squared loss, else `DataError`."""
    network = risk.network
    if len(network.widths) != 3:
        raise DataError(f"risk: network widths {network.widths}, need one hidden layer")
    if not network.bias or network.output_activation is not None or risk.weight_decay:
        raise DataError("risk: need biases, no output activation and no weight decay")
    if not risk.loss.quadratic:
        raise DataError(f"risk: loss {type(risk.loss).__name__}, need SquaredLoss")
    return network


@checked
def slopes(risk: Risk) -> tuple[fmpq, fmpq]:
    """(s_plus, s_minus) of the network, after checking the setting of the theorem.

    Raises `HypothesisError` C1.3 (activation not two-piece) and `DataError` (depth, biases, loss,
    weight decay, output activation).
    """
    network = check_network(risk)
    h = network.activations[0]
    if not network.is_piecewise_linear or h.knots != (fmpq(0),) or h.value != 0:
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
