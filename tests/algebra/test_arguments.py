"""Arguments are held against annotations, and refused with the cure."""

import numpy as np
import pytest
import torch
from doors import NET, PARABOLA, refused

import lscore
from lscore import (
    Certificate,
    Condition,
    Network,
    Risk,
    Verdict,
    binary_hinge,
    cell_at,
    certify_affine_minimum,
    certify_local_minimum,
    certify_nonincreasing,
    exact,
    relu,
    risk_along,
    walls_along,
)
from lscore.algebra.arguments import check, checked, kind
from lscore.algebra.matrices import ones
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError
from lscore.pages.shared import refusal
from lscore.papers.laurent2018 import LabelledData
from lscore.papers.yun2019 import certify_spurious


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Risk(NET, [0], [1], loss="mse"),
            DtypeError,
            "loss: got str, need .*, for",
        ),
        (lambda: Risk(NET, [0], [1], loss=torch.nn.MSELoss()), DtypeError, "loss: got MSELoss"),
        (lambda: Risk(NET, [0], [1], loss=binary_hinge), DtypeError, "loss: got function"),
        (lambda: Risk("net", [0], [1]), DtypeError, "network: got str, need a Network"),
        (lambda: Network((1, 2, 1), relu, bias=2), DtypeError, "bias: got int, need a bool"),
        (lambda: Network((1, 2, 1), (3,)), DtypeError, r"activation\[0\]: got int, need a .*Piece"),
        (lambda: Network((1, 2, 1), torch.nn.ReLU()), DtypeError, "activation: got ReLU"),
        (lambda: Network((1, 2, 1), relu, True, 3), DtypeError, "output_activation: got int"),
        (lambda: Network((10**9, 10**9, 1), relu).init(0), ShapeError, "widths: number of param"),
        (lambda: NET.init(-1), DataError, "seed: got -1, need an integer from 0"),
        (lambda: LabelledData([0, 1], [0.9, 1.2]), DataError, "labels: got the label"),
        (lambda: LabelledData([0, 1], [True, False]), DtypeError, "labels.*boolean"),
        (lambda: LabelledData([0, 1], ["0", "1"]), DtypeError, "labels: got text"),
        (lambda: PARABOLA([0.0] * 7), DtypeError, r"w: got list, need .*: exact\(w\)"),
        (lambda: NET(exact([0] * 7), [[1]]), DtypeError, "X: got list"),
        (lambda: NET(NET.init(0), torch.ones(1, 1)), DtypeError, "X: dtype float32"),
        (lambda: lscore.half_sum_of_squares(torch.ones(3, 1), torch.ones(3)), ShapeError, "equal"),
        (lambda: lscore.half_sum_of_squares(torch.ones(1, 1), ones(1)), DtypeError, "one is exact"),
        (lambda: relu(3.0), DtypeError, "z: got float, need a Tensor or a Rational"),
        (lambda: lscore.tanh(np.ones(2)), DtypeError, "z: got ndarray"),
        (lambda: lscore.gelu(torch.ones(2, dtype=int)), DtypeError, "z: dtype torch.int64"),
    ],
)
def test_the_wrong_kind_is_named_with_the_cure(make, error, message):
    refused(error, message, make)


@pytest.mark.parametrize("wrong", [None, 3, "risk", NET, [PARABOLA], Risk])
@pytest.mark.parametrize(
    "function",
    [
        certify_affine_minimum,
        certify_local_minimum,
        cell_at,
        certify_spurious,
        lscore.incident_cells,
    ],
)
def test_what_is_no_risk_is_named(function, wrong):
    refused(
        DtypeError,
        r"risk: got .*, need a Risk.*for example Risk\(network, X, y\)",
        function,
        wrong,
        exact([0] * 7),
    )


def test_exact_points_are_asked_for_where_they_are_needed():
    w = NET.init(0)
    for point in (w, w.numpy(), w.tolist()):
        refused(DtypeError, r"start: got .*exact\(start\)", walls_along, PARABOLA, point, exact(w))
        refused(DtypeError, r"u: got .*exact\(u\)", risk_along, PARABOLA, exact(w), point)
        refused(
            DtypeError,
            r"waypoints\[0\]: .*exact",
            certify_nonincreasing,
            PARABOLA,
            [point, exact(w)],
        )
    refused(DtypeError, r"waypoints: got Tensor", certify_nonincreasing, PARABOLA, w)
    refused(DtypeError, r"w: got None", certify_local_minimum, PARABOLA, None)


def test_annotations_are_kept_for_functions_methods_and_dataclasses():
    refused(
        DtypeError, "verdict|witness", Certificate, "YUN-T1", "s", Verdict.REFUTED, "exact", (), 3
    )
    refused(LscoreError, "verdict: got 'no'", Certificate, "YUN-T1", "s", "no", "exact")
    refused(DtypeError, "holds: got int", Condition, "text", 1)
    refused(DtypeError, "n: got float", binary_hinge().term_weights, 2.0, 1)

    @checked
    def scaled(
        factor: float, pair: tuple[int, str] = (1, "a"), *, order: int = 1, more: object = 0
    ):
        return factor * order

    assert scaled(2, order=np.int64(3)) == 6
    refused(DataError, "factor: got nan", scaled, float("nan"))
    refused(DataError, "factor: is larger than every float", scaled, 10**400)
    refused(DtypeError, "factor: got the boolean True", scaled, True)
    refused(ShapeError, "pair: got 1 entries, need 2", scaled, 1.0, (1,))
    refused(DtypeError, r"pair\[0\]: got float", scaled, 1.0, (1.5, "a"))
    refused(DataError, "order: got 10000, need an integer from 0 to 1000", scaled, 1.0, order=10**4)
    with pytest.raises(TypeError, match="missing 1 required"):
        scaled()
    assert check(None, kind(int | None), "n") is None
    assert refusal(scaled, None).startswith(
        "DtypeError: factor: got NoneType, need a float or an int"
    )
