"""For the pages of the book alone: figures, the ledger, refusals, answer checkers."""
