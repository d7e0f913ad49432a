"""Numbers that decide: rationals, linear algebra, alternatives, polynomials, intervals.

Knows no network.
"""
