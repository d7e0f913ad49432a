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
        standing="refuted as printed",
        shown="left_ball = ",
    ),
    Claim(
        "MILNE-B-L2-1",
        "book",
        "weight decay leaves no maximum",
        "with weight decay no smooth point is a local maximum, not even of a constant piece",
    ),
    Claim(
        "MILNE-L3",
        "milne2019",
        "Lemma 3",
        "in a cell no second derivative of the loss is below -sqrt(2 l) H (H + 1) r |W|_*^(H-1)",
        standing="sharpened",
    ),
    Claim(
        "MILNE-B-L3-1",
        "book",
        "the chain of bounds",
        "K7 <= K6 <= ... <= K0: seven bounds of the negative curvature that are sharper, the last "
        "of them exact",
    ),
    Claim(
        "MILNE-B-L3-2",
        "book",
        "the optimal constant",
        "H in place of H (H + 1) will do in Lemma 3, and no smaller constant will",
    ),
    Claim(
        "MILNE-L8",
        "milne2019",
        "Lemma 8",
        "curvature c >= C along a C^2 stretch of the flow gives |g(t)|^2 <= |g(0)|^2 exp(-C t)",
        "the bound (17) is meant for every t of the stretch, with a non-zero gradient",
        shown="certify_decay(line, line_start, rate=c",
    ),
    Claim(
        "MILNE-E16",
        "milne2019",
        "equation (16)",
        "inside a cell the risk along the gradient flow has the second derivative 2 g'Hg",
    ),
    Claim(
        "MILNE-E19",
        "milne2019",
        "equation (19)",
        "2 g'Hg is g times the gradient of |g|^2: two backpropagations",
    ),
    Claim(
        "MILNE-E20",
        "milne2019",
        "equation (20)",
        "the share of the loss change that comes after the curvature stays positive",
    ),
    Claim(
        "MILNE-B-L8-1",
        "book",
        "walls and Lemma 8",
        "where the flow meets a wall |g|^2 falls if the kink is convex, and jumps up if concave",
    ),
    Claim(
        "MILNE-D1",
        "milne2019",
        "Definition 1",
        "|W|_*, the largest operator norm of a layer; exactly compared with rational numbers",
    ),
    Claim(
        "MILNE-D2",
        "milne2019",
        "Definition 2",
        "the region U(lambda, theta), on which Lemma 3 makes the risk piecewise strongly convex",
        "U(lambda) need not contain 0 for one hidden layer; it can even be empty",
        shown="[1, 1], [1, -1], half, 2)",
    ),
    Claim(
        "MILNE-T1",
        "milne2019",
        "Theorem 1",
        "in a bounded set of weights the risk is piecewise strongly convex where the loss is small",
        "the region contains the origin for two hidden layers or more only",
        shown="certify_membership(conflict, zero)",
    ),
    Claim(
        "MILNE-T3",
        "milne2019",
        "Theorem 3",
        "on U(lambda, theta) the polynomial of every incident cell has curvature above theta",
    ),
    Claim(
        "MILNE-L4",
        "milne2019",
        "Lemma 4",
        "if epsilon is below a bound, U(lambda) contains all global minimizers of the risk",
        standing="sharpened",
    ),
    Claim(
        "MILNE-E10",
        "milne2019",
        "inequality (10)",
        "a weight decay for which U(lambda) contains all global minimizers",
        standing="sharpened",
    ),
    Claim(
        "MILNE-F1",
        "milne2019",
        "section 4, Figure 1",
        "most of the loss change of the toy regression happens inside U(lambda)",
    ),
    Claim(
        "MILNE-N",
        "book",
        "Theorem N",
        "differentiable critical points w other than 0 have layers of equal norm, w'Bw = "
        "-H lambda |w|^2 with the B of any incident cell, and lie outside U",
    ),
    Claim(
        "MILNE-B-N-1",
        "book",
        "Theorem N with biases",
        "(i) and (iii) of Theorem N are true with biases that are not decayed",
    ),
    Claim(
        "MILNE-B-N-2",
        "book",
        "decayed biases",
        "with decayed biases a strict local minimum can satisfy the condition of U",
    ),
    Claim(
        "MILNE-B-TOY-1",
        "book",
        "the toy surface",
        "0 is the only global minimum and the only critical point of the toy risk iff "
        "lambda >= max |B|",
    ),
    Claim(
        "MILNE-B-TOY-2",
        "book",
        "the toy trajectories",
        "gradient descent on the toy risk contracts to 0 from every start of a ball",
    ),
    Claim(
        "MILNE-B-TOY-3",
        "book",
        "the toy regression, every draw",
        "for inputs in [-r, r], labels |y| <= s |x| and lambda > s r^2 gradient descent contracts "
        "to 0 from every start of a ball, whatever the data are",
    ),
    Claim(
        "MILNE-F2",
        "milne2019",
        "section 4, Figure 2",
        "along a run of SGD the curvature 2 g'Hg is positive from some t0 on, and most of the "
        "loss change comes after",
        "the paper does not say on which samples g and H are taken; the share depends on it",
        shown="for definition in DEFINITIONS:",
    ),
    Claim(
        "MILNE-B-F2-1",
        "book",
        "minibatches and curvature",
        "on average a minibatch adds the trace of H times the covariance of its gradient to g'Hg",
    ),
    Claim(
        "MILNE-Tab1",
        "milne2019",
        "Table 1",
        "set-up of the image experiments: model, epochs, weight decay, trials, step size",
        observed=True,
    ),
    Claim(
        "MILNE-Tab2",
        "milne2019",
        "Table 2",
        "accuracy, 10th percentile of the curvature and share of the loss change over all trials",
        observed=True,
    ),
]
