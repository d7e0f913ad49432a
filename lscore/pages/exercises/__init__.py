"""Answer checkers for the exercises, one module per chapter.

Each returns a text that begins with "correct" or "not yet". A wrong answer never raises; input
of the wrong shape or type raises as everywhere in lscore.
"""
