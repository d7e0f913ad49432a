"""Constructions and checkers of the papers, one module per paper."""
