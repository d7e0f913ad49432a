"""Claims of He, Wang and Tao (2020), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "HE-A1",
        "he2020",
        "Assumption 1",
        "the data cannot be fitted by a linear model",
        "it stands for a gradient of the loss that is not 0; a convex loss can have gradient 0 "
        "without fitting the labels",
        standing="sharpened",
        shown="satisfied = ",
    ),
    Claim(
        "HE-A2",
        "he2020",
        "Assumption 2",
        "all data points are distinct",
    ),
    Claim(
        "HE-A3",
        "he2020",
        "Assumption 3",
        "all hidden layers are wider than the output layer",
    ),
    Claim(
        "HE-L1",
        "he2020",
        "Lemma 1",
        "the squared loss is continuously differentiable, its gradient is 0 at the label only",
        "its gradient is the prediction minus the label; printed is twice the negative",
        standing="sharpened",
        shown="gradient_at_three = ",
    ),
    Claim(
        "HE-L3",
        "he2020",
        "Lemma 3",
        "one hidden layer: a point that carries a linear minimiser is a local minimum",
    ),
    Claim(
        "HE-T3",
        "he2020",
        "Theorem 3",
        "two opposite units lead below the minimum of Lemma 3",
        "the sign of gamma is printed reversed: with the printed one the risk rises",
        standing="refuted as printed",
        shown="raised = ",
    ),
    Claim(
        "HE-L6",
        "he2020",
        "Lemma 6",
        "numbers that sum to 0 are split by a tilted order, ties included",
        "the inputs of a tie must be distinct; the first group of ties counts as well",
        standing="sharpened",
        shown="twins = ",
    ),
    Claim(
        "HE-L4",
        "he2020",
        "Lemma 4",
        "more layers of two-piece units: a local minimum with the outputs of Lemma 3",
    ),
    Claim(
        "HE-T4",
        "he2020",
        "Theorem 4",
        "more layers of two-piece units: a lower point with the outputs of Theorem 3",
    ),
    Claim(
        "HE-L5",
        "he2020",
        "Lemma 5",
        "around a knot of any piecewise linear activation: a local minimum with the same outputs",
        "the bias of the last layer lacks its weights and the numbers alpha",
        standing="refuted as printed",
        shown="as_printed = ",
    ),
    Claim(
        "HE-T1",
        "he2020",
        "Theorem 1",
        "piecewise linear networks have infinitely many spurious local minima, for any depth and "
        "any differentiable loss",
        "the output must not have an activation, which equation (3) gives it",
        standing="sharpened",
        shown="with_output_relu = ",
    ),
    Claim(
        "HE-B-T1-1",
        "book",
        "merged gradient",
        "for a convex differentiable loss the constructed minimum is spurious if and only if the "
        "gradients of the loss do not cancel at every input",
    ),
    Claim(
        "HE-B-T1-2",
        "book",
        "width",
        "one unit more than outputs in the first hidden layer, and as many as outputs in the "
        "others, are enough",
    ),
    Claim(
        "HE-B-T1-3",
        "book",
        "one hinge",
        "one hinge at one input lowers a squared risk by an exact amount, at any knot that bends",
    ),
    Claim(
        "HE-L2",
        "he2020",
        "Lemma 2, cross-entropy",
        "the derivative of cross-entropy by the outputs is p - y, with the softmax p",
        "that it is 0 where prediction and label agree says nothing about labels of classes: it is "
        "never 0; equation (6) lacks the exponentials",
        standing="sharpened",
        shown="never_flat = ",
    ),
    Claim(
        "HE-CE",
        "he2020",
        "Theorem 1, cross-entropy",
        "with cross-entropy the linear model has a minimum exactly where the classes overlap, and "
        "there networks have spurious minima",
        "inseparable data are not enough: on quasi-separable ones there need not be a local "
        "minimum at all",
        standing="refuted as printed",
        shown="without_minimum = ",
    ),
    Claim(
        "HE-B-L5-1",
        "book",
        "transplant",
        "every point of a two-piece network has one with the same outputs around any knot of any "
        "piecewise linear activation",
    ),
    Claim(
        "HE-T2a",
        "he2020",
        "Theorem 2, part 1",
        "the surface is partitioned into smooth cells in which every layer enters affinely",
        "cells are not convex, and pattern sets need not be connected",
        shown="bent = ",
    ),
    Claim(
        "HE-T2b",
        "he2020",
        "Theorem 2, part 2",
        "one hidden layer, one output, a differentiable convex loss: all local minima of a cell "
        "have one risk, and no point of the closed cell has a smaller one",
        standing="sharpened",
    ),
    Claim(
        "HE-L7",
        "he2020",
        "Lemma 7",
        "the risk under the squared loss is convex in the predictions",
        "the second derivative is printed as 2 for every loss; with the factor 1/(2n) it is 1/n",
        shown="convex = certify_strong_convexity(own",
    ),
    Claim(
        "HE-T2c",
        "he2020",
        "Theorem 2, part 3",
        "the constructed minima of one choice of knots and sides lie in a valley of constant risk",
        "one of the numbers that may vary has to be large enough, not small enough",
        standing="sharpened",
        shown="too_small = ",
    ),
    Claim(
        "HE-B-T2-1",
        "book",
        "dimension of the valley",
        "k outputs, a squared loss, layers above the first that lead to all outputs: the "
        "minima nearby have dimension m - k rank [X, 1]",
    ),
    Claim(
        "HE-foc",
        "book",
        "first-order conditions at any point",
        "one hidden layer, one output: a point is a local minimum if and only if the pulls of the "
        "loss sum to 0 and each unit, alone, has a local minimum of the tangent risk there",
    ),
    Claim(
        "HE-T2d",
        "he2020",
        "Theorem 2, linear collapse",
        "with linear activations the surface is one cell",
        "that all its local minima are global needs a differentiable loss and enough width",
        standing="refuted as printed",
        shown="no_gradient_data = ",
    ),
]
