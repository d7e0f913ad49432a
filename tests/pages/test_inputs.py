"""Fingerprints of inputs: one text however stored, the same on every machine."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from flint import fmpz

from lscore import Network, Risk, certify_affine_minimum, exact, leaky_relu, relu, tanh
from lscore.certificates import FactError
from lscore.errors import DataError
from lscore.pages import Page
from lscore.pages.inputs import describe, fingerprint

NET = Network((1, 2, 1), relu)


def test_one_input_has_one_text_however_it_is_stored():
    kinds = [exact([[1], ["1/2"]]), np.array([[1], [0.5]]), torch.tensor([[1], [0.5]])]
    kinds += [[[1], [Fraction(1, 2)]], ((1.0,), (np.float32(0.5),))]
    assert {describe(kind) for kind in kinds} == {"[[1], [1/2]]"}
    assert describe({"b": True, "a": None}) == describe({"a": None, "b": True})
    assert describe(Risk(NET, [0, 1], [0, 1])) == describe(Risk(NET, [0, 1.0], [0, 1]))


def test_different_inputs_have_different_fingerprints():
    inputs = [1, "1", True, [1], 1e-9, 2, None, relu, leaky_relu(0.5), tanh, NET]
    inputs += [Network((1, 3, 1), relu), Network((1, 2, 1), relu, bias=False)]
    inputs += [Risk(NET, [0, 1], [0, 1]), Risk(NET, [0, 1], [0, 2]), Risk(NET, [0, 2], [0, 1])]
    inputs += [Risk(NET, [0, 1], [0, 1], weight_decay=1), torch.nn.Linear(1, 1), np.zeros, {1: 2}]
    assert len({fingerprint(value) for value in inputs}) == len(inputs)


def test_fingerprints_are_the_same_on_every_machine():
    assert fingerprint([0, 0.1, "1/10", relu]) == "b53c72c21d12"
    with pytest.raises(DataError, match="inputs: got a object, need"):
        fingerprint(object())


def test_a_changed_input_that_is_put_right_again_is_not_changed(monkeypatch, capsys):
    monkeypatch.setattr("lscore.pages.inputs.printed", lambda: [f"p x {fingerprint(1)}"])
    page = Page("p")
    page.given(x=2)
    assert page.changed == ["x"]
    page.claim(False, "x is 1")
    page.given(x=1)
    assert capsys.readouterr().out.splitlines() == [
        "Changed here: x. Captions and text speak of the printed one.",
        "The page says: x is 1. With your x: not so.",
    ]
    assert page.changed == []
    with pytest.raises(AssertionError, match="x is 1"):
        page.claim(False, "x is 1")


def test_a_certificate_says_what_it_is_asked_for_and_has_not():
    refuted = certify_affine_minimum(Risk(NET, [0, 1], [0, 1]), exact([0] * 7))
    assert refuted.values.get("radius") is None
    with pytest.raises(FactError, match="no 'radius' in this certificate, its verdict is"):
        refuted.values["radius"]


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], range(3), np.True_, fmpz(7)])
def test_whatever_number_a_reader_tries_has_a_text(value):
    assert fingerprint(value) != fingerprint(3)
