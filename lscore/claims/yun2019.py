"""Claims of Yun, Sra and Jadbabaie (2019), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "YUN-T1",
        "yun2019",
        "Theorem 1",
        "distinct inputs that no affine map fits give a two-piece network of two units or more "
        "spurious local minima",
        "footnote 1 asks that no linear map fits X; the theorem needs that no affine map does",
        standing="refuted as printed",
        shown="no_c11 = ",
    ),
    Claim(
        "YUN-LA1",
        "yun2019",
        "Lemma A.1",
        "if no gap between predictions can be used, the residuals of tied predictions cancel",
    ),
    Claim(
        "YUN-LA2",
        "yun2019",
        "Lemma A.2",
        "tilting the fit along the longest input of a tie breaks it and no other order",
        "its constant g, a quarter of the smallest gap between different predictions, is undefined "
        "if all predictions coincide, as for XOR; any positive number does",
        standing="sharpened",
        shown='"XOR, j1 = 0"',
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
        "a way down",
        "a path leaves the spurious minimum for a strictly lower point, and the risk never rises",
    ),
    Claim(
        "YUN-B-T1-5",
        "book",
        "dead network",
        "a dead ReLU network at the mean label is a local minimum too, never a better one",
    ),
    Claim(
        "YUN-T2",
        "yun2019",
        "Theorem 2",
        "three points, a smooth activation, conditions C2.1 to C2.7: a local minimum of risk 1/3 "
        "and a point of risk 0",
        "C2.4 and C2.5 do not make h its own Taylor series, which the printed proof sums; twice "
        "continuously differentiable near v1 and v2 is enough",
        standing="sharpened",
        shown="no_c24 = ",
    ),
    Claim(
        "YUN-C3",
        "yun2019",
        "Corollary 3",
        "constants for sigmoid, tanh, arctan, quadratic, ELU and SELU",
    ),
    Claim(
        "YUN-LA3",
        "yun2019",
        "Lemma A.3",
        "near the point the risk exceeds 1/3 by a quadratic form in two differences, up to squares",
    ),
    Claim(
        "YUN-LA4",
        "yun2019",
        "Lemma A.4",
        "a^n + b^n - 2((a+b)/2)^n is (a-b)^2 times an explicit polynomial",
    ),
    Claim(
        "YUN-LA5",
        "yun2019",
        "Lemma A.5",
        "the same second difference of a^n1 c^n2 splits into (a-b)^2, (c-d)^2 and (a-b)(c-d) parts",
    ),
    Claim(
        "YUN-A6",
        "yun2019",
        "Appendix A6",
        "the data of Theorem 2 give ReLU-like activations a spurious local minimum, without biases",
    ),
    Claim(
        "YUN-B-T2-1",
        "book",
        "risk zero from one bend",
        "with biases, every non-affine continuous activation fits the three points exactly",
    ),
    Claim(
        "YUN-B-T2-2",
        "book",
        "constants for every analytic activation",
        "every non-affine real-analytic activation has constants for part 2 of Theorem 2",
    ),
    Claim(
        "YUN-B-T2-3",
        "book",
        "convex activations",
        "convex h and output weights >= 0 keep the risk at 1/3 or above, at any width",
    ),
    Claim(
        "YUN-B-T1-6",
        "book",
        "wide networks",
        "N distinct inputs, one hidden layer of at least N - 1 piecewise linear units that bend: a "
        "path from any point to a global minimum never rises",
    ),
    Claim(
        "YUN-B-T1-7",
        "book",
        "one unit",
        "with one input and one unit there are bad valleys, behind the best constant",
    ),
    Claim(
        "YUN-B-T1-8",
        "book",
        "the lowest pass",
        "one input, one hidden layer of two-piece units, squared loss: how high a path to a global "
        "minimum must rise is decided exactly; two ReLUs on four points have a spurious minimum "
        "behind a barrier",
    ),
    Claim(
        "YUN-B-T2-4",
        "book",
        "no bad valley, smooth",
        "on the data of Theorem 2 a path leads from the bad minimum to risk 0 without rising",
    ),
    Claim(
        "YUN-T4",
        "yun2019",
        "Theorem 4",
        "in a linear network as wide as the smaller of input and output, a critical point is a "
        "saddle unless the gradient of the loss vanishes at the product",
        "the heading of A7.1 says d_y >= d_x, its proof treats d_x >= d_y",
        shown="on_tall = ",
    ),
    Claim(
        "YUN-C5",
        "yun2019",
        "Corollary 5",
        "as wide, if the loss of the product has global minima only, so has the network, and "
        "saddles",
    ),
    Claim(
        "YUN-LA6",
        "yun2019",
        "Lemma A.6",
        "between a full row rank and a full column rank one layer moves the product anywhere near",
        "the displayed layer lacks an inverse: it ends in (B'B)^-1 B', not in (B'B) B'",
        shown="on_transfer = ",
    ),
    Claim(
        "YUN-B-T4-1",
        "book",
        "rank instead of width",
        "a critical point at which the loss of the product has a gradient is a saddle already if "
        "the products have low rank there",
    ),
    Claim(
        "YUN-B-T4-2",
        "book",
        "order of a linear saddle",
        "with two wide layers the saddles of YUN-T4 are strict; with more, pairs of layers and the "
        "exact Hessian decide",
    ),
    Claim(
        "YUN-B-T4-3",
        "book",
        "linear networks with biases",
        "biases change nothing, for the same widths",
    ),
    Claim(
        "YUN-B-T4-4",
        "book",
        "bottlenecks",
        "with the squared loss and any widths a critical point is a global minimum or a saddle, "
        "and which is decided",
    ),
]
