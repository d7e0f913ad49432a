"""For the pages of the book alone: figures, the ledger, refusals, answer checkers."""

from lscore.pages.inputs import Page
from lscore.pages.shared import attempt, refusal

__all__ = ["Page", "attempt", "refusal"]
