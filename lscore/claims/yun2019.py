"""Claims of Yun, Sra and Jadbabaie (2019), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "YUN-T1",
        "yun2019",
        "Theorem 1",
        "data that no affine map fits give a two-piece network spurious local minima",
        "footnote 1 asks that no linear map fits X; the theorem needs that no affine map does",
    ),
    Claim(
        "YUN-B-T1-1",
        "book",
        "one dead unit",
        "one switched-off unit lowers the risk by exactly A^2/(2B), ties included",
    ),
    Claim(
        "YUN-B-T1-2",
        "book",
        "refitted kink",
        "the decrease that one kink allows does not vanish with the nonlinearity",
    ),
    Claim(
        "YUN-B-T1-3",
        "book",
        "several outputs",
        "width d_Y + 1 is enough for d_Y outputs",
    ),
    Claim(
        "YUN-B-T1-4",
        "book",
        "no bad valley",
        "a path leaves the spurious minimum without the risk ever rising",
    ),
    Claim(
        "YUN-B-T1-5",
        "book",
        "dead network",
        "for ReLU the all-dead network is a worse local minimum still",
    ),
]
