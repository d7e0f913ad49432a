"""Claims of Laurent and von Brecht (2018), and what the book adds to them."""

from lscore.claims.entry import Claim

CLAIMS = [
    Claim(
        "LVB-L1",
        "laurent2018",
        "Lemma 1",
        "cells are open and disjoint and fill parameter space up to a null set",
        "equation (100) drops an output bias; without biases the rest can contain an open set",
    ),
    Claim(
        "LVB-T1",
        "laurent2018",
        "Theorem 1",
        "on each cell the hinge risk is a sum of multilinear forms and a constant",
        "the appendix prints 1/N where the weights of the samples are meant",
    ),
    Claim(
        "LVB-C1",
        "laurent2018",
        "Corollary 1",
        "a local extremum at which the hinge risk is differentiable lies in a flat cell",
        "the proof needs one polynomial per cell, for cells need not be connected",
    ),
    Claim(
        "LVB-C2",
        "laurent2018",
        "Corollary 2",
        "the Hessian of the hinge risk is zero or has eigenvalues of both signs",
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
        "Clarke's subdifferential is the convex hull of the gradients of the incident cells",
    ),
    Claim(
        "LVB-AG",
        "book",
        "autograd at a kink",
        "with biases everywhere, autograd's gradient is an element of Clarke's subdifferential",
    ),
]
