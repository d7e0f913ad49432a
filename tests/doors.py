"""What the tests of arguments share: a network, a risk, and a refusal with its text."""

import pytest

from lscore import Network, Risk, relu

NET = Network((1, 2, 1), relu)
PARABOLA = Risk(NET, [0, 1, 2, 3], [0, 1, 4, 9])


def refused(error, message, function, *arguments, **keywords):
    with pytest.raises(error, match=message):
        function(*arguments, **keywords)
