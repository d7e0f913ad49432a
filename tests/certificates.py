"""A certificate of any text, for tests."""

from lscore import Certificate


def make(verdict, method="exact", **keywords):
    return Certificate("YUN-T1", "x & y", verdict, method, **keywords)
