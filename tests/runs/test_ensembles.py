"""Many trials at once: risks batched, refusals."""

import numpy as np
import pytest
import torch
from toy_risks import toy

from lscore import Network, Risk, binary_hinge, leaky_relu
from lscore.errors import DataError, DtypeError, ShapeError
from lscore.runs.ensembles import descend_together, risk_on


def test_any_risk_can_be_batched():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((30, 2)), rng.integers(0, 2, 30) * 2 - 1
    risk = Risk(Network((2, 4, 3, 1), leaky_relu("1/10")), X, y, binary_hinge(), "1/100")
    starts = torch.stack([risk.network.init(seed) for seed in range(4)])
    found = descend_together(risk, starts, 0.05, 10, watch={"risk": risk_on(risk)})
    for k, w in enumerate(starts):
        for step in range(10):
            assert abs(found.watched["risk"][step, k] - risk(w)) < 1e-12
            w = w - 0.05 * risk.gradient(w)
        assert torch.allclose(found.points[k], w, atol=1e-12)
    single = descend_together(risk, starts, 0.05, 10, dtype=torch.float32)
    assert single.points.dtype == torch.float32
    assert torch.allclose(single.points.double(), found.points, atol=1e-4)


@pytest.mark.parametrize(
    ("points", "keywords", "error", "message"),
    [
        (np.zeros((2, 3)), {}, ShapeError, r"points: shape \(2, 3\), need \(trials, 4\)"),
        (np.zeros((2, 4), dtype=np.float32), {}, DtypeError, "points: dtype torch.float32"),
        (np.full((2, 4), np.nan), {}, DataError, "points: has NaN"),
        (np.zeros((2, 4)), {"steps": -1}, DataError, "steps: got -1"),
        (np.zeros((2, 4)), {"rate": 0.0}, DataError, "rate: got 0.0"),
    ],
)
def test_bad_arguments_are_named(points, keywords, error, message):
    with pytest.raises(error, match=message):
        descend_together(toy(), points, **{"rate": 0.1, "steps": 1} | keywords)
