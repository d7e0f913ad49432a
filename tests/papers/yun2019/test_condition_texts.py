"""What every checker of Yun, Sra and Jadbabaie (2019) prints, line by line: yes, no and open cases.

A line that cannot fail, a line that vanishes, or "holds" in front of what fails shows here.
"""

import re
from dataclasses import replace
from textwrap import dedent

import pytest
from losses import Unproved

from lscore import (
    Network,
    Risk,
    Smooth,
    elu,
    exact,
    identity,
    relu,
    sigmoid,
    softplus,
    softsign,
    square,
)
from lscore.papers import yun2019
from lscore.papers.yun2019 import (
    CORNER,
    certify_absolute_minimum,
    certify_bad_valley,
    certify_bend_criterion,
    certify_bottleneck_minimum,
    certify_corner_minimum,
    certify_group_sums,
    certify_lemma_a3,
    certify_lemma_a4,
    certify_lemma_a5,
    certify_linear_collapse,
    certify_printed_fit,
    certify_saddle,
    certify_saddle_or_minimum,
    certify_smooth_minimum,
    certify_split,
    certify_spurious,
    certify_strict_saddle,
    certify_three_points,
    certify_transfer,
    certify_zero_risk,
    constants,
    least_squares_minimum,
    place,
    saddle_corner_risk,
    saddle_escape,
    sigmoid_place,
    split_tie,
    tempting_constants,
)
from lscore.papers.yun2019.smooth.identities import p, r

TWO = Network((1, 2, 1), relu)
PARABOLA = Risk(TWO, [0, 1, 2, 3], [0, 1, 4, 9])
MINIMUM = least_squares_minimum(PARABOLA)
CLASH = Risk(TWO, [0, 0, 1, 1], [1, -1, 1, -1])
TIED = Risk(TWO, [-1, 0, 1], [1, -2, 1])
SPLIT = split_tie(TIED)
ONE = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
QUARTER = sigmoid_place("1/4")
GOOD = constants(sigmoid, [QUARTER, QUARTER], ["2/3", "2/3"])
QUARTIC = Smooth("z^4", lambda z: z**4, lambda z: z * z * z * z)
SQUARES = [place(square, v, [exact([v])[0, 0] ** 2]) for v in (1, "1/2", "1/2", "1/4")]
FOUR = [sigmoid_place(h) for h in ("1/2", "1/4", "1/4", "1/8")]
UNEVEN = [sigmoid_place(h) for h in ("1/2", "1/4", "1/2", "1/8")]
UNIT = [[1, 0], [0, 1]]


def linear(*widths):
    return Network(widths, identity, bias=False)


WIDE, NARROW = (Risk(linear(2, hidden, 2), UNIT, [[2, 0], [0, 1]]) for hidden in (2, 1))
SKEW = Risk(NARROW.network, UNIT, [[1, 0], [1, 1]])
THREE = Risk(linear(2, 2, 2, 2), UNIT, UNIT)
HALF, WHOLE = exact([2, 0, 0, 0, 1, 0, 0, 0]), exact([2, 0, 0, 1, 1, 0, 0, 1])
FLAT = exact(3 * [1, 0, 0, 0])
SHIFTED = Risk(Network((2, 2, 2), identity), [[1, 0], [0, 1], [-1, -1]], [[3, 0], [2, 1], [1, -1]])
CONSTANT = exact([0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0])
TOLD = Risk(WIDE.network, WIDE.X, WIDE.y, Unproved())
AROUND = exact([2, 0, 0, 1] + [0] * 4 + [3, 0, 0, 4])  # the second layer stands between these


def transfer(w, target):
    return certify_transfer(THREE.network, w, 2, target, 1)


def split_with(**changes):
    return certify_split(TIED, replace(SPLIT, **changes))


def escape_with(**changes):
    found = replace(saddle_escape(WIDE, HALF, "1/4"), **changes)
    return certify_saddle(WIDE, HALF, "1/4", found=found)


# name: (the question, its verdict, its conditions as printed)
CASES = {
    "spurious yes": (
        lambda: certify_spurious(PARABOLA, MINIMUM),
        "certified",
        """
        holds every hidden unit stays on one linear piece, distance to the nearest knot 1
        holds residuals orthogonal to every affine function
        holds another point has a smaller risk, difference 1/2
        """,
    ),
    "spurious not lower": (
        lambda: certify_spurious(PARABOLA, MINIMUM, MINIMUM),
        "unknown",
        """
        holds every hidden unit stays on one linear piece, distance to the nearest knot 1
        holds residuals orthogonal to every affine function
        fails another point has a smaller risk, difference 0
        """,
    ),
    "spurious global": (
        lambda: certify_spurious(CLASH, least_squares_minimum(CLASH)),
        "refuted",
        """
        holds every hidden unit stays on one linear piece, distance to the nearest knot 1
        holds residuals orthogonal to every affine function
        fails another point has a smaller risk
        """,
    ),
    "spurious moved": (
        lambda: certify_spurious(PARABOLA, MINIMUM + exact([1] + [0] * 6)),
        "refuted",
        """
        holds every hidden unit stays on one linear piece, distance to the nearest knot 1
        fails residuals orthogonal to every affine function, largest sum 14
        """,
    ),
    "spurious kink": (
        lambda: certify_spurious(PARABOLA, exact([3, 0, 1, 0, 1, 0, -2])),
        "unknown",
        """
        undecided every hidden unit stays on one linear piece
        """,
    ),
    "bad valley yes": (
        lambda: certify_bad_valley(ONE, exact(["-1/2", 2, -1, "11/6"])),
        "certified",
        """
        holds the risk is below that of every constant, margin 1/4
        holds the best point with this sign of the first weight is not global, margin 1/12
        """,
    ),
    "bad valley global": (
        lambda: certify_bad_valley(ONE, exact([1, -1, 1, 0])),
        "refuted",
        """
        fails the point is not a global minimum
        """,
    ),
    "bad valley high": (
        lambda: certify_bad_valley(ONE, exact([0, 0, 0, 0])),
        "unknown",
        """
        fails the risk is below that of every constant, margin -1/6
        undecided the best point with this sign of the first weight is not global
        """,
    ),
    "bad valley same": (
        lambda: certify_bad_valley(ONE, exact([1, -1, "1/2", 0])),
        "unknown",
        """
        holds the risk is below that of every constant, margin 5/24
        fails the best point with this sign of the first weight is not global, margin 0
        """,
    ),
    "groups yes": (
        lambda: certify_group_sums(TIED),
        "certified",
        """
        holds some residual is not 0
        holds the groups are the sets of equal predictions
        holds no gap between groups can be used (J is empty)
        holds 1. some predictions coincide
        holds 2. a prediction that is not shared has residual 0
        holds 3. the residuals of each group sum to 0
        holds 4. some group has two residuals that are not 0
        """,
    ),
    "groups regrouped": (
        lambda: certify_group_sums(TIED, [[0], [1, 2]]),
        "refuted",
        """
        holds some residual is not 0
        fails the groups are the sets of equal predictions
        """,
    ),
    "groups gap": (
        lambda: certify_group_sums(PARABOLA),
        "refuted",
        """
        holds some residual is not 0
        holds the groups are the sets of equal predictions
        fails no gap between groups can be used (J is empty)
        """,
    ),
    "split yes": (
        lambda: certify_split(TIED, SPLIT),
        "certified",
        """
        holds y* is the smallest tie to break
        holds j1 is a longest input off the fit
        holds v is a positive multiple of x_j1
        holds |v.x_i| is at most g
        holds below: smaller predictions and J>=; above: the rest
        holds j2 is the furthest of J<, D and the middle fit
        holds - on below, + on above, for all alpha in (0, 1], |gamma| <= alpha D/4, at alpha\
 = 1 at least 1/4
        holds sum above - sum below = -2 r_j1
        """,
    ),
    "split spread": (
        lambda: split_with(spread=SPLIT.spread / 2),
        "refuted",
        """
        holds y* is the smallest tie to break
        holds j1 is a longest input off the fit
        holds v is a positive multiple of x_j1
        holds |v.x_i| is at most g
        holds below: smaller predictions and J>=; above: the rest
        fails j2 is the furthest of J<, D and the middle fit
        """,
    ),
    "smooth yes": (
        lambda: certify_smooth_minimum(GOOD),
        "certified",
        """
        holds C2.3: u.h(v) = 1/3
        holds C2.6: p1 + a1 > 0, margin 7/192
        holds C2.7: p1 a2 + a1 p2 + a1 a2 > 0, margin 5/4608
        holds Q is positive semidefinite on a box, radius 0.5453
        """,
    ),
    "smooth no": (
        lambda: certify_smooth_minimum(tempting_constants()["tanh"]),
        "refuted",
        """
        holds C2.3: u.h(v) = 1/3
        holds C2.6: p1 + a1 > 0, margin 5/16
        fails C2.7: p1 a2 + a1 p2 + a1 a2 > 0, margin -25/384
        """,
    ),
    "smooth box alone": (
        lambda: certify_smooth_minimum(constants(elu(1), ["1/2", "1/2"], ["1/3", "1/3"])),
        "certified",
        """
        holds the output bias 1/3 - u.h(v) makes the outputs 1/3
        holds Q is positive semidefinite on a box, radius 0.2499
        """,
    ),
    "smooth open": (
        lambda: certify_smooth_minimum(constants(QUARTIC, [0, 1], [1, 1])),
        "unknown",
        """
        holds the output bias 1/3 - u.h(v) makes the outputs 1/3
        fails C2.6: p1 + a1 > 0, margin 0
        fails C2.7: p1 a2 + a1 p2 + a1 a2 > 0, margin 0
        undecided Q is positive semidefinite on a box, radius 0
        """,
    ),
    "smooth wide yes": (
        lambda: certify_smooth_minimum(constants(softplus, [0] * 3, ["1/5"] * 3)),
        "certified",
        """
        holds the output bias 1/3 - u.h(v) makes the outputs 1/3
        holds u1 h''(v1) > 0, margin 0.0499999
        holds u2 h''(v2) > 0, margin 0.0499999
        holds u3 h''(v3) > 0, margin 0.0499999
        holds Q is positive semidefinite on a box, radius 0.1999
        """,
    ),
    "smooth wide no": (
        lambda: certify_smooth_minimum(constants(softplus, [0] * 3, [1, 1, -1])),
        "refuted",
        """
        holds the output bias 1/3 - u.h(v) makes the outputs 1/3
        holds u1 h''(v1) > 0, margin 0.249999
        holds u2 h''(v2) > 0, margin 0.249999
        fails u3 h''(v3) > 0, margin -0.250001
        fails Q is positive semidefinite at the point
        """,
    ),
    "zero yes": (
        lambda: certify_zero_risk(square, (0, 1)),
        "certified",
        """
        holds h(v1) + h(v2) and 2 h((v1 + v2)/2) differ at v = (0, 1), difference 0.499999
        """,
    ),
    "zero odd": (
        lambda: certify_zero_risk(sigmoid, (1, -1)),
        "unknown",
        """
        undecided h(v1) + h(v2) and 2 h((v1 + v2)/2) differ at v = (1, -1)
        """,
    ),
    "zero same": (
        lambda: certify_zero_risk(square, (1, 1)),
        "unknown",
        """
        fails h(v1) + h(v2) and 2 h((v1 + v2)/2) differ at v = (1, 1), difference 0
        """,
    ),
    "printed yes": (
        lambda: certify_printed_fit(sigmoid, FOUR),
        "certified",
        """
        holds C2.1: h(v1)h(v4) = h(v2)h(v3)
        holds C2.2: the midpoint products differ, difference 0.00194195
        """,
    ),
    "printed no": (
        lambda: certify_printed_fit(sigmoid, UNEVEN),
        "unknown",
        """
        fails C2.1: h(v1)h(v4) = h(v2)h(v3), difference -1/16
        holds C2.2: the midpoint products differ, difference 0.0458667
        """,
    ),
    "printed balls": (
        lambda: certify_printed_fit(
            softsign, [place(softsign, v) for v in (1, "1/3", "1/3", "1/7")]
        ),
        "unknown",
        """
        undecided C2.1: h(v1)h(v4) = h(v2)h(v3)
        holds C2.2: the midpoint products differ, difference 0.00384615
        """,
    ),
    "three yes": (
        lambda: certify_three_points(GOOD, FOUR),
        "certified",
        """
        holds C2.3: u.h(v) = 1/3
        holds C2.6: p1 + a1 > 0, margin 7/192
        holds C2.7: p1 a2 + a1 p2 + a1 a2 > 0, margin 5/4608
        holds Q is positive semidefinite on a box, radius 0.5453
        holds C2.1: h(v1)h(v4) = h(v2)h(v3)
        holds C2.2: the midpoint products differ, difference 0.00194195
        """,
    ),
    "three no fit": (
        lambda: certify_three_points(GOOD, UNEVEN),
        "unknown",
        """
        holds C2.3: u.h(v) = 1/3
        holds C2.6: p1 + a1 > 0, margin 7/192
        holds C2.7: p1 a2 + a1 p2 + a1 a2 > 0, margin 5/4608
        holds Q is positive semidefinite on a box, radius 0.5453
        fails C2.1: h(v1)h(v4) = h(v2)h(v3), difference -1/16
        holds C2.2: the midpoint products differ, difference 0.0458667
        """,
    ),
    "three no min": (
        lambda: certify_three_points(tempting_constants()["tanh"]),
        "refuted",
        """
        holds C2.3: u.h(v) = 1/3
        holds C2.6: p1 + a1 > 0, margin 5/16
        fails C2.7: p1 a2 + a1 p2 + a1 a2 > 0, margin -25/384
        """,
    ),
    "a3": (
        lambda: certify_lemma_a3(4),
        "certified",
        """
        holds the risk is 1/3, two differences and squares
        holds both differences of z^n factor
        holds their limits are h''/4 and h'
        """,
    ),
    "a3 no": (
        lambda: certify_lemma_a3(4, lambda n: p(n) + (n == 3)),
        "refuted",
        """
        holds the risk is 1/3, two differences and squares
        fails both differences of z^n factor
        fails their limits are h''/4 and h'
        """,
    ),
    "a4": (
        lambda: certify_lemma_a4(4),
        "certified",
        """
        holds a^n + b^n - 2((a+b)/2)^n = (a-b)^2 p_n
        holds coefficients of p_n are >= 0 with sum n(n-1)/4
        """,
    ),
    "a4 no": (
        lambda: certify_lemma_a4(4, lambda n: 2 * p(n)),
        "refuted",
        """
        fails a^n + b^n - 2((a+b)/2)^n = (a-b)^2 p_n
        fails coefficients of p_n are >= 0 with sum n(n-1)/4
        """,
    ),
    "a5": (
        lambda: certify_lemma_a5(3),
        "certified",
        """
        holds the second difference is q + q + r, as printed
        """,
    ),
    "a5 no": (
        lambda: certify_lemma_a5(3, lambda m, n: 2 * r(m, n)),
        "refuted",
        """
        fails the second difference is q + q + r, as printed
        """,
    ),
    "bend": (
        lambda: certify_bend_criterion(),
        "certified",
        """
        holds 9 y1^2 y2^2 (p1 a2 + a1 p2 + a1 a2) is the criterion
        """,
    ),
    "bend no": (
        lambda: certify_bend_criterion("1/4"),
        "refuted",
        """
        fails 9 y1^2 y2^2 (p1 a2 + a1 p2 + a1 a2) is the criterion
        """,
    ),
    "saddle": (
        lambda: certify_saddle(WIDE, HALF, "1/4"),
        "certified",
        """
        holds every layer gradient is exactly zero
        holds gradient of the loss of the product is not zero
        holds the same moves work for every smaller epsilon
        holds the base tuple has the same product
        holds no layer moves by more than 1/4
        holds a point within reach is higher, rise 33/512
        holds a point within reach is lower, fall 31/512
        """,
    ),
    "saddle wrong": (
        lambda: escape_with(up=HALF),
        "unknown",
        """
        holds every layer gradient is exactly zero
        holds gradient of the loss of the product is not zero
        holds the same moves work for every smaller epsilon
        holds the base tuple has the same product
        holds no layer moves by more than 1/4
        fails a point within reach is higher, rise 0
        holds a point within reach is lower, fall 31/512
        """,
    ),
    "saddle min": (
        lambda: certify_saddle(WIDE, WHOLE),
        "refuted",
        """
        holds every layer gradient is exactly zero
        fails gradient of the loss of the product is not zero
        holds the loss is convex in the product
        """,
    ),
    "saddle off": (
        lambda: certify_saddle(WIDE, exact([1] * 8)),
        "refuted",
        """
        fails every layer gradient is exactly zero
        """,
    ),
    "saddle narrow": (
        lambda: certify_saddle(NARROW, exact([0, 1, 0, 1])),
        "unknown",
        """
        holds every layer gradient is exactly zero
        holds gradient of the loss of the product is not zero
        fails null vectors of the products exist
        """,
    ),
    "classify min": (
        lambda: certify_saddle_or_minimum(WIDE, WHOLE),
        "certified",
        """
        holds gradient of the loss of the product is exactly zero
        holds the loss is convex in the product
        """,
    ),
    "classify told": (
        lambda: certify_saddle_or_minimum(TOLD, WHOLE),
        "certified",
        """
        holds gradient of the loss of the product is exactly zero
        holds the loss is declared convex in the outputs, by Loss.convex
        """,
    ),
    "classify corner": (
        lambda: certify_saddle_or_minimum(saddle_corner_risk, CORNER),
        "unknown",
        """
        holds every layer gradient is exactly zero
        fails gradient of the loss of the product is not zero
        fails the loss is declared convex in the outputs, by Loss.convex
        """,
    ),
    "classify biases": (
        lambda: certify_saddle_or_minimum(SHIFTED, CONSTANT, "1/10"),
        "certified",
        """
        holds the constant term is stationary
        holds every layer gradient is exactly zero
        holds gradient of the loss of the product is not zero
        holds the same moves work for every smaller epsilon
        holds the base tuple has the same product
        holds no layer moves by more than 1/10
        holds a point within reach is higher, rise 1201/288000
        holds a point within reach is lower, fall 1199/288000
        """,
    ),
    "classify biases off": (
        lambda: certify_saddle_or_minimum(SHIFTED, CONSTANT + exact([0] * 11 + [1])),
        "refuted",
        """
        fails the constant term is stationary
        """,
    ),
    "strict yes": (
        lambda: certify_strict_saddle(NARROW, exact([0, 1, 0, 1])),
        "certified",
        """
        holds every layer gradient is exactly zero
        holds the risk falls at order 2 along the direction
        """,
    ),
    "strict flat": (
        lambda: certify_strict_saddle(THREE, FLAT),
        "refuted",
        """
        holds every layer gradient is exactly zero
        fails the Hessian has a negative direction
        """,
    ),
    "strict off": (
        lambda: certify_strict_saddle(THREE, FLAT * 2),
        "refuted",
        """
        fails every layer gradient is exactly zero
        """,
    ),
    "bottleneck": (
        lambda: certify_bottleneck_minimum(NARROW, exact([1, 0, 2, 0])),
        "certified",
        """
        holds the product has the largest rank possible, 1
        holds its excess is the part of the best map that it misses
        holds Sigma has no part between kept and lost components
        holds every kept component is at least as large as every lost one
        """,
    ),
    "bottleneck smaller": (
        lambda: certify_bottleneck_minimum(NARROW, exact([0, 1, 0, 1])),
        "refuted",
        """
        holds the product has the largest rank possible, 1
        holds its excess is the part of the best map that it misses
        holds Sigma has no part between kept and lost components
        fails every kept component is at least as large as every lost one
        """,
    ),
    "bottleneck zero": (
        lambda: certify_bottleneck_minimum(NARROW, exact([0] * 4)),
        "refuted",
        """
        fails the product, of rank 0 where 1 is possible, misses nothing, margin -5/2
        holds its excess is the part of the best map that it misses
        holds Sigma has no part between kept and lost components
        holds every kept component is at least as large as every lost one
        """,
    ),
    "bottleneck off": (
        lambda: certify_bottleneck_minimum(NARROW, exact([1, 0, 1, 0])),
        "refuted",
        """
        holds the product has the largest rank possible, 1
        fails its excess is the part of the best map that it misses, margin -1/2
        undecided Sigma has no part between kept and lost components
        undecided every kept component is at least as large as every lost one
        """,
    ),
    "bottleneck not critical": (
        lambda: certify_bottleneck_minimum(SKEW, exact([1, 1, 1, 0])),
        "refuted",
        """
        holds the product has the largest rank possible, 1
        holds its excess is the part of the best map that it misses
        fails Sigma has no part between kept and lost components
        undecided every kept component is at least as large as every lost one
        """,
    ),
    "transfer": (
        lambda: transfer(AROUND, [[0, 3], [0, 0]]),
        "certified",
        """
        holds full row rank above, full column rank below
        holds R is within reach of the lemma
        holds the product is R in every digit
        holds the layer moves by at most epsilon
        """,
    ),
    "transfer unknown": (
        lambda: transfer(AROUND, [[4, 0], [0, 0]]),
        "unknown",
        """
        holds full row rank above, full column rank below
        fails R is within reach of the lemma
        holds the product is R in every digit
        holds the layer moves by at most epsilon
        """,
    ),
    "transfer far": (
        lambda: transfer(AROUND, [[0, 4], [0, 0]]),
        "refuted",
        """
        holds full row rank above, full column rank below
        fails R is within reach of the lemma
        holds the product is R in every digit
        fails the layer moves by at most epsilon, epsilon^2 less the square of the move -7/9
        """,
    ),
    "transfer rank": (
        lambda: transfer(AROUND * 0, [[0, 4], [0, 0]]),
        "unknown",
        """
        fails full row rank above, full column rank below
        """,
    ),
    "collapse": (
        lambda: certify_linear_collapse(linear(2, 3, 2)),
        "certified",
        """
        holds no activation changes its slope
        """,
    ),
    "collapse no": (
        lambda: certify_linear_collapse(TWO),
        "refuted",
        """
        fails no activation changes its slope
        """,
    ),
    "absolute": (
        lambda: certify_absolute_minimum([1, "1/10"], "9/20"),
        "certified",
        """
        holds the first weight outweighs the second all over the box, margin 0
        holds another point has a smaller risk, margin 99/200
        """,
    ),
    "absolute no": (
        lambda: certify_absolute_minimum([1, "1/10"], "1/2"),
        "unknown",
        """
        fails the first weight outweighs the second all over the box, margin -1/10
        holds another point has a smaller risk, margin 99/200
        """,
    ),
    "corner": (
        lambda: certify_corner_minimum("absolute", "1/2"),
        "certified",
        """
        holds the identity for R_21 holds at all 256 corners
        holds it bounds R_21 tightly enough on the box, margin 0
        holds another product is lower, margin 1
        """,
    ),
    "corner no": (
        lambda: certify_corner_minimum("saddle", "2/5"),
        "unknown",
        """
        holds the identity for R_21 holds at all 256 corners
        fails it bounds R_21 tightly enough on the box, margin -7/81
        holds another product is lower, margin 1
        """,
    ),
    "groups fitted": (
        lambda: certify_group_sums(Risk(TWO, [0, 1, 2], [5, 4, 3])),
        "refuted",
        """
        fails some residual is not 0
        """,
    ),
    "split value": (
        lambda: split_with(value=SPLIT.value + 1),
        "refuted",
        """
        fails y* is the smallest tie to break
        """,
    ),
    "split j1": (
        lambda: split_with(j1=1),
        "refuted",
        """
        holds y* is the smallest tie to break
        fails j1 is a longest input off the fit
        """,
    ),
    "split reversed": (
        lambda: split_with(direction=-SPLIT.direction),
        "refuted",
        """
        holds y* is the smallest tie to break
        holds j1 is a longest input off the fit
        fails v is a positive multiple of x_j1
        """,
    ),
    "split partition": (
        lambda: split_with(below=(), above=(0, 1, 2)),
        "refuted",
        """
        holds y* is the smallest tie to break
        holds j1 is a longest input off the fit
        holds v is a positive multiple of x_j1
        holds |v.x_i| is at most g
        fails below: smaller predictions and J>=; above: the rest
        """,
    ),
    "saddle off its product": (
        lambda: escape_with(base=WHOLE),
        "unknown",
        """
        holds every layer gradient is exactly zero
        holds gradient of the loss of the product is not zero
        holds the same moves work for every smaller epsilon
        fails the base tuple has the same product
        fails no layer moves by more than 1/4
        holds a point within reach is higher, rise 33/512
        holds a point within reach is lower, fall 31/512
        """,
    ),
    "saddle not lower": (
        lambda: escape_with(down=HALF),
        "unknown",
        """
        holds every layer gradient is exactly zero
        holds gradient of the loss of the product is not zero
        holds the same moves work for every smaller epsilon
        holds the base tuple has the same product
        holds no layer moves by more than 1/4
        holds a point within reach is higher, rise 33/512
        fails a point within reach is lower, fall 0
        """,
    ),
    "printed no bend": (
        lambda: certify_printed_fit(square, SQUARES),
        "unknown",
        """
        holds C2.1: h(v1)h(v4) = h(v2)h(v3)
        fails C2.2: the midpoint products differ, difference 0
        """,
    ),
    "zero at one number": (
        lambda: certify_zero_risk(sigmoid, (0, 0)),
        "unknown",
        """
        fails h(v1) + h(v2) and 2 h((v1 + v2)/2) differ at v = (0, 0), difference 0
        """,
    ),
}
# Proved once for all: the definition of a point, a lemma's conclusion, or an identity, computed
# again where it is printed.
PROVED = {
    "1. some predictions coincide",
    "2. a prediction that is not shared has residual 0",
    "3. the residuals of each group sum to 0",
    "4. some group has two residuals that are not 0",
    "sum above - sum below = -2 r_j1",
    "C2.3: u.h(v) = 1/3",
    "the output bias 1/3 - u.h(v) makes the outputs 1/3",
    "the risk is 1/3, two differences and squares",
    "the same moves work for every smaller epsilon",
    "the risk falls at order 2 along the direction",
    "the loss is convex in the product",
    "gradient of the loss of the product is exactly zero",
    "the product is R in every digit",
    "the identity for R_21 holds at all 256 corners",
    "another product is lower",
}


def shown(answer):
    """The conditions of a printed certificate."""
    words = ("holds", "fails", "undecided")
    lines = [line.split() for line in str(answer).splitlines()[1:]]
    return [" ".join(line) for line in lines if line[0] in words]


@pytest.mark.parametrize("name", CASES)
def test_the_conditions_read_as_they_should(name):
    ask, verdict, expected = CASES[name]
    answer = ask()
    assert answer.verdict == verdict
    assert shown(answer) == dedent(expected).strip().splitlines()
    failing = [c for c in answer.conditions if c.holds is not True]
    assert bool(failing) == (not answer.certified), "the failing line says so, and only it"


def test_every_line_is_seen_to_fail_unless_it_is_proved():
    seen = {}
    for ask, _, _ in CASES.values():
        for c in ask().conditions:
            text = re.sub(r" at v = .*| than 1/10| possible, 1|^u\d|\(v\d\)", "", c.text)
            seen.setdefault(text, set()).add(c.holds)
    assert {text for text, words in seen.items() if words == {True}} == PROVED | {
        # seen to fail in test_ties, and above with other numbers
        "- on below, + on above, for all alpha in (0, 1], |gamma| <= alpha D/4",
        "|v.x_i| is at most g",
        "no layer moves by more",
        "the product has the largest rank",
    }


SHORT = {
    "transfer": "certify_transfer",
    "split_with": "certify_split",
    "escape_with": "certify_saddle",
}


def test_every_checker_has_a_yes_and_a_no():
    """Barriers have a table of their own."""
    checkers = {
        name
        for name in yun2019.__all__
        if name.startswith(("certify_", "certify_saddle_or_minimum"))
        and not getattr(yun2019, name).__module__.endswith(("barriers", "linear_floats"))
    }
    verdicts = {}
    for ask, verdict, _ in CASES.values():
        for name in ask.__code__.co_names:
            name = SHORT.get(name, name)
            verdicts.setdefault(name, set()).add(verdict)
    for name in checkers:
        assert "certified" in verdicts[name], name
        assert verdicts[name] & {"refuted", "unknown"}, name
