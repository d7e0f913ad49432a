"""Claims of Laurent and von Brecht (2018), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "LVB-L1",
        "laurent2018",
        "Lemma 1",
        "cells are open and disjoint and fill parameter space up to a null set",
        "equation (100) drops an output bias; without biases the rest can contain an open set",
        shown="thick_walls = ",
    ),
    Claim(
        "LVB-T1",
        "laurent2018",
        "Theorem 1",
        "on each cell the hinge risk is a sum of multilinear forms and a constant",
        "the appendix prints 1/N where the weights of the samples are meant",
        shown="printed = sum(",
    ),
    Claim(
        "LVB-C1",
        "laurent2018",
        "Corollary 1",
        "a local extremum inside a cell of the hinge risk: the cell is flat",
        "the proof needs one polynomial per cell, for cells need not be connected",
        shown="(there, (here + there) / 2)",
    ),
    Claim(
        "LVB-C2",
        "laurent2018",
        "Corollary 2",
        "inside a cell the Hessian of the hinge risk is zero or has eigenvalues of both signs",
    ),
    Claim(
        "LVB-B-T1-1",
        "book",
        "forms by backpropagation",
        "inside a cell a tensor times its gradient is the sum of the forms that contain it",
    ),
    Claim(
        "LVB-B-T1-2",
        "book",
        "any piecewise linear activation",
        "intercepts add one form per layer, residual links one per set of skipped layers",
    ),
    Claim(
        "LVB-B-C1-1",
        "book",
        "both directions",
        "in a cell that is not flat integer directions of ascent and descent of one order exist",
    ),
    Claim(
        "LVB-B-C2-1",
        "book",
        "mirrored spectrum",
        "with one hidden layer, inside a cell, the spectrum of the Hessian is symmetric about 0",
    ),
    Claim(
        "LVB-D2",
        "laurent2018",
        "Definition 2",
        "critical means that Clarke's subdifferential contains 0",
    ),
    Claim(
        "LVB-L103",
        "laurent2018",
        "Lemma 103",
        "if the cells fill the space up to a null set, Clarke's subdifferential is the hull of the "
        "gradients of the incident cells",
    ),
    Claim(
        "LVB-AG",
        "book",
        "autograd at a kink",
        "with biases everywhere and linear outputs, autograd's gradient (left slopes, ties slack) "
        "is an element of Clarke's subdifferential",
    ),
    Claim(
        "LVB-L100",
        "laurent2018",
        "Lemma 100",
        "a sum of D_i A x_i vanishes for every matrix A if each diagonal entry does, weighted by x",
    ),
    Claim(
        "LVB-L101",
        "laurent2018",
        "Lemma 101",
        "a cell is flat if and only if the labels balance along every path through the network",
        standing="sharpened",
    ),
    Claim(
        "LVB-T2",
        "laurent2018",
        "Theorem 2",
        "points of loss zero touch a flat cell; minima that touch none have a positive loss",
    ),
    Claim(
        "LVB-D1",
        "laurent2018",
        "Definition 1",
        "data are rare if path slopes and switches balance the classes, else generic",
        "as printed the family of switches includes a sample's own class: then all data are rare",
        standing="refuted as printed",
        shown='"as printed:", printed',
    ),
    Claim(
        "LVB-T3",
        "laurent2018",
        "Theorem 3",
        "fully connected, alpha > 0, generic data: minima that touch a flat cell have loss zero",
    ),
    Claim(
        "LVB-L102",
        "laurent2018",
        "Lemma 102",
        "on a cell of one hidden layer the binary hinge risk is four constants",
        "the proof ends with the opposite sign of gamma",
        shown="minus = certify_cell_constants(",
    ),
    Claim(
        "LVB-L104",
        "laurent2018",
        "Lemma 104",
        "along a polynomial curve all signs are constant up to some t0, here a rational number",
        standing="sharpened",
    ),
    Claim(
        "LVB-L105",
        "laurent2018",
        "Lemma 105",
        "a unit in use that turns towards a separator lowers the loss",
        standing="sharpened",
    ),
    Claim(
        "LVB-L106",
        "laurent2018",
        "Lemma 106",
        "where v = 0, a unit that is switched on changes the loss at the rate of its pull",
        "the term of the bias is printed with the opposite sign",
        standing="refuted as printed",
        shown="printed = second_perturbation(",
    ),
    Claim(
        "LVB-L107",
        "laurent2018",
        "Lemma 107",
        "where v = 0 and the pull is 0, switching a unit on while it turns lowers the loss",
    ),
    Claim(
        "LVB-T4",
        "laurent2018",
        "Theorem 4",
        "leaky units, separable data: critical points have v = 0 or are global minima",
        standing="sharpened",
    ),
    Claim(
        "LVB-T5",
        "laurent2018",
        "Theorem 5",
        "leaky units, separable data, equal class weights: every local minimum is global",
        standing="sharpened",
    ),
    Claim(
        "LVB-T6",
        "laurent2018",
        "Theorem 6",
        "ReLU, separable data: at a critical point every unsolved sample is dead",
        standing="sharpened",
    ),
    Claim(
        "LVB-F4",
        "laurent2018",
        "Figure 4",
        "three local minima of a two-unit ReLU network, with losses 0, 3/10 and 1",
        "panel (b) is a local minimum only without an output bias, which the theorem has",
        shown="with_output_bias = ",
    ),
    Claim(
        "LVB-B-T6-1",
        "book",
        "strictly dead",
        "at local minima unsolved samples lie strictly on the blind side of units of their sign",
    ),
    Claim(
        "LVB-B-T4-1",
        "book",
        "how far from critical",
        "margin, slopes, output weights and unsolved weight bound every subgradient from below",
    ),
    Claim(
        "LVB-B-T5-1",
        "book",
        "a straight way down",
        "Theorem 5: two straight segments lead from any point to loss zero without a rise",
    ),
    Claim(
        "LVB-B-T5-2",
        "book",
        "no output bias",
        "without an output bias Theorem 5 holds for all class weights",
    ),
    Claim(
        "LVB-F",
        "book",
        "every kink is decided",
        "local minima of the binary hinge risk of one hidden layer are decided at every point, by "
        "linear programs",
    ),
    Claim(
        "LVB-F5",
        "laurent2018",
        "Figure 5",
        "with three or more classes a local minimum that is not global may have data that are "
        "active yet unsolved",
    ),
    Claim(
        "LVB-S",
        "book",
        "minima up to symmetry",
        "strict multipliers of the tied margins, and full rank up to the symmetries of the risk, "
        "certify local minima of hinge risks with several outputs",
    ),
    Claim(
        "LVB-NS",
        "book",
        "a sharp bad minimum",
        "three samples that are not separable: a local minimum of loss 2/3 touching no flat cell",
    ),
    Claim(
        "LVB-B-T2-1",
        "book",
        "no biases needed",
        "every point of loss zero touches a flat cell, also in networks without biases",
    ),
    Claim(
        "LVB-B-D1-1",
        "book",
        "separable data",
        "classes that can be split off linearly, one after the other, make the data generic",
    ),
    Claim(
        "LVB-B-D1-2",
        "book",
        "rare is hard",
        "deciding whether data are rare is NP-complete, by subset sum",
    ),
    Claim(
        "LVB-T100",
        "laurent2018",
        "Theorem 100",
        "deep linear network, hinge loss: a critical point with a non-zero product, and with equal "
        "class weights every local minimum, is a global one",
    ),
    Claim(
        "LVB-T7",
        "laurent2018",
        "Theorem 7",
        "at critical points of the penalised risk the replicas agree and every class is critical",
        "the gradient of the penalty lacks a factor 2 and has a gamma too many",
        standing="sharpened",
        shown="as_printed = gamma",
    ),
    Claim(
        "LVB-L109",
        "laurent2018",
        "Lemma 109",
        "replicas that are a local minimum of the penalised risk are one of the risk; the converse "
        "is false",
        standing="sharpened",
    ),
    Claim(
        "LVB-C100",
        "laurent2018",
        "Corollary 100",
        "deep linear, one versus all: a critical point of the penalised risk with no product 0 is "
        "a global minimum",
    ),
    Claim(
        "LVB-C101",
        "laurent2018",
        "Corollary 101",
        "deep linear, equal class weights: no local minimum of the penalised risk with a product 0 "
        "that is not optimal; the way down is explicit",
        standing="sharpened",
    ),
    Claim(
        "LVB-L108",
        "laurent2018",
        "Lemma 108",
        "vectors with sum |x_r|^2 at most sum <x_r, x_s> / (R - 1) over r != s are all equal",
        standing="sharpened",
    ),
    Claim(
        "LVB-C3",
        "laurent2018",
        "Corollary 3",
        "leaky slope, one hidden layer, separable classes: critical points of the penalised risk "
        "without v_r = 0 have loss zero, and with equal class weights so have all local minima",
        "part (ii) speaks of local minima with v_r = 0, but with equal weights there are none",
        standing="sharpened",
        shown="least = min(part",
    ),
    Claim(
        "LVB-C4",
        "laurent2018",
        "Corollary 4",
        "ReLU, one hidden layer, separable classes: at critical points of the penalised risk no "
        "living unit serves an unsolved sample",
    ),
    Claim(
        "LVB-B-T7-1",
        "book",
        "the penalty costs nothing",
        "the infimum of the penalised risk is the sum of the infima of the classes, each with a "
        "network of its own; it is attained only if one set of hidden layers serves all",
    ),
]
