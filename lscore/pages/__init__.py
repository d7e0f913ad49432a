"""For the pages of the book alone: inputs, figures, the ledger, records, refusals, checkers."""

from lscore.pages.inputs import Page
from lscore.pages.shared import attempt, refusal, stored_record

__all__ = ["Page", "attempt", "refusal", "stored_record"]
