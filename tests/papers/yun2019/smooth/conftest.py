"""What the tests of Theorem 2 share: the certificates of the whole table, made once."""

import pytest
from smooth_points import TABLE

from lscore.papers.yun2019 import certify_three_points


@pytest.fixture(scope="session")
def certificates():
    return {name: certify_three_points(row.constants, row.fit) for name, row in TABLE.items()}
