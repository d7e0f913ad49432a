"""Claims of Milne (2019), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "MILNE-L1",
        "milne2019",
        "Lemma 1",
        "the outputs are smooth outside a closed null set of parameters",
    ),
    Claim(
        "MILNE-L2",
        "milne2019",
        "Lemma 2",
        "a local maximum inside a connected open set of smooth points makes the risk constant",
        "connectedness is missing, and the risk can be smooth where the outputs are not",
    ),
    Claim(
        "MILNE-B-L2-1",
        "book",
        "weight decay leaves no maximum",
        "with weight decay no smooth point is a local maximum, not even of a constant piece",
    ),
]
