"""What a theorem assumes of a risk, as data: each fact is asked alone, and says yes and no."""

from dataclasses import fields, replace

import pytest
from losses import Absolute, Huber, Weighted

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    certify_spurious,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
    tanh,
)
from lscore.errors import HypothesisError
from lscore.model.entropy import CrossEntropyLoss, LogisticLoss
from lscore.model.hinges import HingeLoss
from lscore.model.settings import ACTIVATIONS, LOSSES, Setting

PLAIN = Risk(Network((1, 2, 1), relu), [0, 1], [0, 1])
HINGED = Risk(PLAIN.network, [0, 1], [1, -1], binary_hinge())


def with_network(*arguments, **keywords):
    network = Network(*arguments, **keywords)
    k = network.widths[-1]
    return Risk(network, [[0] * network.widths[0]], [[0] * k])


FACTS = {
    "inputs": (1, with_network((2, 1, 1), relu), "got 2 inputs, need 1 input"),
    "hidden": (1, with_network((1, 1), ()), "got 0 hidden layers, need 1 hidden layer"),
    "outputs": (1, with_network((1, 1, 3), relu), "got 3 outputs, need 1 output"),
    "biases": (True, with_network((1, 1, 1), relu, bias=False), "got no biases, need biases"),
    "output_activation": (
        False,
        with_network((1, 1, 1), relu, output_activation=relu),
        "got output activation, need no output activation",
    ),
    "activations": (("ReLU",), with_network((1, 1, 1), tanh), "got tanh, need ReLU"),
    "loss": ("squared loss", HINGED, "got binary hinge loss, need squared loss"),
    "weight_decay": (
        False,
        Risk(PLAIN.network, [0], [0], weight_decay="1/3"),
        "got weight decay, need no weight decay",
    ),
    "one_decay": (
        True,
        Risk(PLAIN.network, [0], [0], weight_decay=[0, 1]),
        "got several, need one weight decay for all parameters",
    ),
    "frozen": (
        False,
        Risk(PLAIN.network, [0], [0], frozen=[True, False]),
        "got frozen parameters, need no frozen parameters",
    ),
}


@pytest.mark.parametrize(
    ("needed", "bias", "message"),
    [
        (True, (True, False), "got no bias in layer 2, need a bias in every layer"),
        (False, (False, True), "got a bias in layer 2, need no biases"),
        (True, (True, True), ""),
        (False, (False, False), ""),
    ],
)
def test_biases_in_some_layers_are_neither_biases_nor_none(needed, bias, message):
    assert Setting(biases=needed).misses(Network((1, 1, 1), relu, bias)) == message


def test_every_fact_has_a_case():
    assert list(FACTS) == [field.name for field in fields(Setting)]


@pytest.mark.parametrize("name", FACTS)
def test_one_fact_holds_or_is_named(name):
    needed, other, sentence = FACTS[name]
    setting = Setting(**{name: needed})
    assert setting.misses(PLAIN) == ""
    setting.require(PLAIN, "YUN-T1")
    assert setting.misses(other) == sentence
    with pytest.raises(HypothesisError) as caught:
        setting.require(other, "YUN-T1")
    given, need = sentence.removeprefix("got ").split(", need ")
    assert str(caught.value) == f"YUN-T1, hypothesis {need}: got {given}"


def test_nothing_asked_is_nothing_missed():
    for name, (_, other, _) in FACTS.items():
        assert Setting(frozen=True).misses(other) == ""
        assert bool(Setting().misses(other)) == (name == "frozen")


def test_a_network_is_asked_for_what_it_has():
    setting = Setting(biases=False, weight_decay=False)
    assert setting.misses(PLAIN.network) == "got biases, need no biases"


def test_output_activations_are_activations():
    bent = with_network((1, 1, 1), relu, output_activation=tanh)
    assert Setting(activations=("piecewise linear",)).misses(bent).startswith("got tanh")


HALF_MEAN = SquaredLoss("1/2", mean=True)
SQUARED = [SquaredLoss(), HALF_MEAN, SquaredLoss(3, mean=True)]
HINGES = [binary_hinge(), multiclass_hinge(), one_versus_all_hinge()]
ENTROPIES = [LogisticLoss(), CrossEntropyLoss()]
NAMED = {
    "polynomial loss": SQUARED,
    "piecewise linear loss": [*HINGES, Absolute()],
    "convex piecewise linear loss": [*HINGES, Absolute()],
    "squared loss": SQUARED,
    "mean squared loss": [HALF_MEAN, SquaredLoss(3, mean=True)],
    "half the mean squared error": [HALF_MEAN],
    "differentiable loss": [*SQUARED, Huber(), *ENTROPIES],
    "cross-entropy": ENTROPIES,
    "convex loss": [*SQUARED, *HINGES, Absolute(), Huber(), *ENTROPIES],
    "one of the hinge losses": HINGES,
    "one versus all hinge loss": [one_versus_all_hinge()],
    "hinge loss": HINGES,
    "binary hinge loss": [binary_hinge()],
    "binary or multiclass hinge loss": [binary_hinge(["1/2", 1]), multiclass_hinge()],
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_by_their_names(name):
    every = [*SQUARED, *HINGES, binary_hinge(["1/2", 1]), Absolute(), Huber(), *ENTROPIES]
    words = [repr(loss) if loss.quadratic else loss.kind for loss in NAMED[name]]
    for loss in every:
        word = repr(loss) if loss.quadratic else loss.kind
        assert LOSSES[name](loss) == (word in words), loss


class Two(HingeLoss):
    """max(2 - y yhat, 0), as a binary hinge of somebody else."""

    def margins(self, outputs, targets):
        return super().margins(outputs, targets) + exact([[1]] * len(outputs))


def test_a_formula_is_taken_from_the_losses_of_this_package_only():
    for loss, name in ((Weighted(), "squared loss"), (Two("binary"), "binary hinge loss")):
        risk = replace(HINGED if loss.hinge else PLAIN, loss=loss)
        assert Setting(loss=name).misses(risk) == f"got {name} of somebody's own, need {name}"
    answer = certify_spurious(replace(PLAIN, loss=Weighted()), exact([0] * 7))
    assert str(answer.verdict) == "unknown"


HOLDS = {
    "piecewise linear": [relu, leaky_relu("1/2"), absolute_value, hard_tanh, identity, linear(2)],
    "identity": [identity],
    "homogeneous": [relu, leaky_relu("1/2"), absolute_value, identity, linear(2)],
    "two-piece": [relu, leaky_relu("1/2"), absolute_value],
    "every piece through 0": [relu, leaky_relu("1/2"), absolute_value, identity, linear(2)],
    "|slope| <= 1": [relu, leaky_relu("1/2"), absolute_value, hard_tanh, identity],
    "ReLU": [relu],
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_by_their_properties(name):
    every = [relu, leaky_relu("1/2"), absolute_value, hard_tanh, identity, linear(2), tanh]
    for h in every:
        found = Setting(activations=(name,)).misses(Network((1, 1, 1), h))
        assert found == ("" if h in HOLDS[name] else f"got {h.name}, need {name}")
