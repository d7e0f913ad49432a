"""Data sets that more than one test file asks about."""

LINE, SIGNS = [-1, 0, 1], [1, -1, 1]
