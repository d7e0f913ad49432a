"""For the pages of the book alone: figures, the ledger, refusals, answer checkers."""

from lscore.pages.shared import refusal

__all__ = ["refusal"]
