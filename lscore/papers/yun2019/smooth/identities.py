r"""Yun, Sra, Jadbabaie (2019), Lemmas A.3-A.5: the polynomial identities, checked symbolically.

All follow from one line. As power series in t,
:math:`e^{at} + e^{bt} - 2 e^{(a+b)t/2} = (e^{at/2} - e^{bt/2})^2`, and the right side is divisible
by :math:`(a - b)^2`; the coefficient of :math:`t^n/n!` is Lemma A.4. With :math:`as + ct` and
:math:`bs + dt` in place of at and bt it is Lemma A.5. Here the printed formulas are compared with
the identities, polynomial by polynomial, over the rationals.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

from flint import fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import Scalar, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, DtypeError

_RING = fmpq_mpoly_ctx.get(("a", "b", "c", "d"), "degrevlex")
A, B, C, D = _RING.gens()


def p(n: int) -> fmpq_mpoly:
    r"""The polynomial :math:`p_n(a, b)` of Lemma A.4, by the printed formula.

    >>> p(2), p(3)
    (1/2, 3/4*a + 3/4*b)
    """
    total = _RING.constant(0)
    for k in range(n - 1):
        inner = sum((k + 1 - l) * comb(n, l) for l in range(k + 1))
        total += (k + 1 - fmpq(inner, 2 ** (n - 1))) * A ** (n - k - 2) * B**k
    return total


def q(n1: int, n2: int) -> fmpq_mpoly:
    r"""The polynomial :math:`q_{n_1 n_2}(a, b, d) = d^{n_2} p_{n_1}(a, b)` of Lemma A.5."""
    return D**n2 * p(n1)


def r(n1: int, n2: int) -> fmpq_mpoly:
    r"""The polynomial :math:`r_{n_1 n_2}(a, b, c, d)` of Lemma A.5, by the printed formula.

    >>> r(1, 1), r(1, 2)
    (1/2, 3/4*c + 1/4*d)
    """
    total = _RING.constant(0)
    for k1 in range(n1):
        for k2 in range(n2):
            inner = sum(comb(n1, l1) * comb(n2, l2) for l1 in range(k1 + 1) for l2 in range(k2 + 1))
            weight = 1 - fmpq(inner, 2 ** (n1 + n2 - 1))
            total += weight * A ** (n1 - 1 - k1) * B**k1 * C ** (n2 - 1 - k2) * D**k2
    return total


def _formula(function: Callable) -> Callable[..., fmpq_mpoly]:
    """The formula, refused by name where its value is no polynomial."""

    def value(*degrees: int) -> fmpq_mpoly:
        try:
            return _RING.constant(0) + function(*degrees)
        except Exception as error:  # whatever a foreign function raises
            raise DtypeError(f"the formula gives no polynomial at {degrees}") from error

    return value


def _check_range(highest: int, least: int) -> None:
    """Refuse an empty range of degrees: nothing would be compared."""
    if isinstance(highest, bool) or not isinstance(highest, int) or highest < least:
        raise DataError(f"highest: got {highest!r}, need an integer >= {least}, the first degree")


@checked
def certify_lemma_a4(highest: int = 12, factor: Callable[[int], fmpq_mpoly] = p) -> Certificate:
    r"""Lemma A.4 for n = 2, ..., `highest`, and the bound that makes its series converge.

    :math:`a^n + b^n - 2 (\tfrac{a+b}2)^n = (a - b)^2 p_n(a, b)` with `factor` as :math:`p_n`; its
    coefficients are non-negative with sum :math:`n(n-1)/4`, hence
    :math:`|p_n| \le \tfrac14 n(n-1) \max(|a|, |b|)^{n-2}`. Refuted with n and the difference of the
    two sides. `DataError` for `highest` < 2.
    """
    _check_range(highest, 2)
    factor, identity, bounded = _formula(factor), True, True
    witness = {}
    for n in range(2, highest + 1):
        difference = A**n + B**n - 2 * ((A + B) / 2) ** n - (A - B) ** 2 * factor(n)
        coefficients = (_RING.constant(0) + factor(n)).coeffs()
        if difference != 0:
            identity, witness = False, witness or {"n": n, "difference": str(difference)}
        bounded &= min(coefficients, default=0) >= 0 and sum(coefficients) == fmpq(n * (n - 1), 4)
        if not bounded:
            witness = witness or {"n": n, "coefficients": ", ".join(map(str, coefficients))}
    conditions = [
        Condition("a^n + b^n - 2((a+b)/2)^n = (a-b)^2 p_n", identity),
        Condition("coefficients of p_n are >= 0 with sum n(n-1)/4", bounded),
    ]
    asked = Question("YUN-LA4", f"Lemma A.4 for n = 2, ..., {highest}")
    return asked.refuted(conditions, witness) if witness else asked.certified(conditions)


@checked
def certify_lemma_a5(highest: int = 6, cross: Callable[[int, int], fmpq_mpoly] = r) -> Certificate:
    r"""Lemma A.5 for :math:`1 \le n_1, n_2 \le` `highest`, with `cross` as :math:`r_{n_1 n_2}`.

    The second difference of :math:`a^{n_1} c^{n_2}`, which is :math:`a^{n_1} c^{n_2}`
    :math:`{}+ b^{n_1} d^{n_2}` :math:`{}- 2 (\tfrac{a+b}2)^{n_1} (\tfrac{c+d}2)^{n_2}`, equals
    :math:`(a-b)^2 q_{n_1 n_2}(a, b, d)` :math:`{}+ (c-d)^2 q_{n_2 n_1}(c, d, b)`
    :math:`{}+ (a-b)(c-d)\, r_{n_1 n_2}`.
    Refuted with :math:`n_1, n_2` and the difference of the two sides. `DataError` for
    `highest` < 1.
    """
    _check_range(highest, 1)
    cross, witness = _formula(cross), {}
    for n1 in range(1, highest + 1):
        for n2 in range(1, highest + 1):
            left = A**n1 * C**n2 + B**n1 * D**n2 - 2 * ((A + B) / 2) ** n1 * ((C + D) / 2) ** n2
            swapped = q(n2, n1).compose(C, D, A, B)
            right = (A - B) ** 2 * q(n1, n2) + (C - D) ** 2 * swapped
            difference = left - right - (A - B) * (C - D) * cross(n1, n2)
            if difference != 0 and not witness:
                witness = {"exponents": f"{n1}, {n2}", "difference": str(difference)}
    conditions = [Condition("the second difference is q + q + r, as printed", not witness)]
    asked = Question("YUN-LA5", f"Lemma A.5 for n1, n2 = 1, ..., {highest}")
    return asked.refuted(conditions, witness) if witness else asked.certified(conditions)


@checked
def certify_lemma_a3(highest: int = 12, bend: Callable[[int], fmpq_mpoly] = p) -> Certificate:
    r"""Lemma A.3 for polynomial activations of degree up to `highest`, as exact identities.

    With outputs :math:`\tfrac13 + t_i`, (i) :math:`R - \tfrac13` is
    :math:`\tfrac13 (t_1 + t_2 - 2 t_3)` :math:`{}+ \tfrac14 (t_1 - t_2)^2`
    :math:`{}+ \tfrac14 (t_1 + t_2)^2 + \tfrac12 t_3^2`; (ii) the second difference
    of :math:`z^n` is :math:`(a - b)^2 p_n`, the first one :math:`(a - b) s_n`; (iii) at
    :math:`a = b = v` these are :math:`h''(v)/4` and :math:`h'(v)`. Both differences are linear in
    h, so :math:`R - \tfrac13 \ge \tfrac14 z^\top Q z` with the paper's coefficients in the limit:
    :math:`\alpha_k = u_k h''(v_k)/12 + u_k^2 h'(v_k)^2/4`,
    :math:`\alpha_3 = u_1 u_2 h'(v_1) h'(v_2)/2`. `DataError` for `highest` < 2.
    """
    _check_range(highest, 2)
    bend = _formula(bend)
    ring = fmpq_mpoly_ctx.get(("t1", "t2", "t3"), "degrevlex")
    t1, t2, t3 = ring.gens()
    third = fmpq(1, 3)
    risk = ((t1 + third) ** 2 + (t2 + third) ** 2 + (t3 + third - 1) ** 2) / 2
    squares = ((t1 - t2) ** 2 + (t1 + t2) ** 2) / 4 + t3**2 / 2
    completed = risk - third == third * (t1 + t2 - 2 * t3) + squares
    differences = limits = True
    wrong = 0
    for n in range(2, highest + 1):
        s = sum((A ** (n - 1 - k) * B**k for k in range(n)), _RING.constant(0))
        second = A**n + B**n - 2 * ((A + B) / 2) ** n == (A - B) ** 2 * bend(n)
        differences &= second and A**n - B**n == (A - B) * s
        bends = (_RING.constant(0) + bend(n)).compose(A, A, C, D) == fmpq(n * (n - 1), 4) * A ** (
            n - 2
        )
        limits &= bends and s.compose(A, A, C, D) == n * A ** (n - 1)
        wrong = wrong or n * (not (differences and limits))
    conditions = [
        Condition("the risk is 1/3, two differences and squares", completed),
        Condition("both differences of z^n factor", differences),
        Condition("their limits are h''/4 and h'", limits),
    ]
    witness = {} if completed and not wrong else {"degree": wrong}
    asked = Question("YUN-LA3", f"Lemma A.3 for polynomials h of degree <= {highest}")
    return asked.refuted(conditions, witness) if witness else asked.certified(conditions)


@checked
def certify_bend_criterion(constant: Scalar = "1/3") -> Certificate:
    r"""In case (b), C2.7 is :math:`(\tfrac13 + s) G(v_2) > s\, G(v_1) + \tfrac13` (YUN-B-T2-2).

    With :math:`y_k = h(v_k)`, :math:`g_k = h'(v_k)^2`, :math:`c_k = h''(v_k)`,
    :math:`u_1 = -s/y_1`, :math:`u_2 = (\tfrac13 + s)/y_2`, the margin
    :math:`p_1 a_2 + a_1 p_2 + a_1 a_2` times :math:`9 y_1^2 y_2^2` equals the polynomial
    :math:`3 s (\tfrac13 + s)` times :math:`s g_1 c_2 y_2 - (\tfrac13 + s) g_2 c_1 y_1`
    :math:`{}- \tfrac13 c_1 c_2 y_1 y_2`. Where :math:`y_k c_k < 0` division by
    :math:`c_1 c_2 y_1 y_2 > 0` gives the criterion with :math:`G = g/|yc|`. `constant` replaces
    the last 1/3.
    """
    names = ("s", "y1", "y2", "g1", "g2", "c1", "c2")
    ring = fmpq_mpoly_ctx.get(names, "degrevlex")
    s, y1, y2, g1, g2, c1, c2 = ring.gens()
    rest = s + fmpq(1, 3)
    # p_k and a_k of C2.6, each times its denominator: y_k^2 and 3 y_k
    p1, p2, a1, a2 = s**2 * g1, rest**2 * g2, -s * c1, rest * c2
    margin = 3 * (p1 * a2 * y2 + a1 * y1 * p2) + a1 * a2 * y1 * y2
    last = rational(constant, "constant")
    criterion = s * g1 * c2 * y2 - rest * g2 * c1 * y1 - last * c1 * c2 * y1 * y2
    difference = margin - 3 * s * rest * criterion
    witness = {} if difference == 0 else {"difference": str(difference)}
    conditions = [Condition("9 y1^2 y2^2 (p1 a2 + a1 p2 + a1 a2) is the criterion", not witness)]
    asked = Question("YUN-B-T2-2", "C2.7 is (1/3 + s) G(v2) > s G(v1) + 1/3 where h h'' < 0")
    return asked.refuted(conditions, witness) if witness else asked.certified(conditions)
