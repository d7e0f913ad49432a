r"""Laurent and von Brecht (2018), Definition 1: are given data rare or generic?

Deciding this is NP-complete: `rare_from_subset_sum` turns any subset-sum problem into it. So the
decision has a polynomial part, linear separability, that often settles it, and an exact search by
meeting in the middle with a limit.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.alternatives import common_descent
from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, zeros
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, LscoreError, ShapeError
from lscore.papers.laurent2018.data import LabelledData, is_rare_combination

_GENERIC = Question("LVB-D1", "the data are generic")


@checked
def certify_generic(data: LabelledData, *, limit: int = 10**6) -> Certificate:
    r"""Are the data generic in the sense of Definition 1 (LVB-D1)? Exact, three-valued.

    Step 1, for alpha > 0: a class that is linearly separable from the other remaining ones has all
    its switches 0, and so have the others towards it; it is set aside, again and again. If at most
    one class is left the data are generic, with the separators in `values`. Step 2: the sums of
    all choices on two halves of the remaining samples are compared as exact integers. Certified:
    generic. Refuted: rare, the witness holds the :math:`\lambda_i` and :math:`\epsilon_{ir}`, which
    pass `is_rare_combination`. Unknown: more than `limit` sums on one side. Sound; complete up to
    the limit.

    >>> x, y, mu = [-1, 0, 1], [1, -1, 1], ["1/4", "1/2", "1/4"]
    >>> rare = certify_generic(LabelledData(x, y, mu, "1/2"))
    >>> rare.verdict.value, rare.witness["slopes"]
    ('refuted', column(1, 1, 1))
    >>> certify_generic(LabelledData(x, y, alpha="1/3")).verdict.value
    'certified'
    """
    conditions, separators, left = [], {}, set(range(data.number_of_classes))
    while data.alpha > 0 and len(left) > 1:
        found = _separable_class(data, left)
        if found is None:
            break
        r, separator = found
        others = ", ".join(data.name(s) for s in sorted(left - {r}))
        text = f"class {data.name(r)} is linearly separable from class {others}"
        conditions.append(Condition(text, separates_class(data, r, separator, sorted(left - {r}))))
        name = {"-1": "minus_1", "+1": "plus_1"}.get(data.name(r), data.name(r))
        separators[f"separator_of_class_{name}"] = separator
        left -= {r}
    if len(left) < 2:
        return _GENERIC.certified(conditions, values=separators)
    samples = _alternating(data, left)
    options = [_options(data, i, left) for i in samples]
    search = _Search([[packed for packed, _, _ in row] for row in options], limit)
    sums = " and ".join(str(len(side)) for side in search.sides)
    text = f"no choice for {len(samples)} samples balances: {sums} partial sums compared"
    holds = search.choice is None and (search.finished or None)
    conditions.append(Condition(text, holds))
    if search.choice is not None:
        chosen = {
            i: row[k][1:]
            for i, row, k in zip(samples, options, search.choice, strict=True)
            if k is not None
        }
        return _rare(data, chosen, conditions, separators)
    if not search.finished:
        reason = (
            f"more than {limit} partial sums on one side ({sums} after {search.used} of "
            f"{len(samples)} samples), and deciding rare or generic is NP-complete"
        )
        return _GENERIC.unknown(reason, conditions, values=separators)
    return _GENERIC.certified(conditions, values=separators)


def _alternating(data: LabelledData, left: set[int]) -> list[int]:
    """The samples of the classes in `left`, taking turns: balanced sums cancel early."""
    groups = [[i for i, own in enumerate(data.classes) if own == r] for r in sorted(left)]
    turns = itertools.zip_longest(*groups)
    return [i for turn in turns for i in turn if i is not None]


def _separable_class(data: LabelledData, left: set[int]) -> tuple[int, RationalMatrix] | None:
    """A class with q . (x, 1) > 0 on it and < 0 on the other classes in `left`, and that q."""
    rows = data.augmented.numerator.tolist()
    d = data.augmented.shape[1]
    for r in sorted(left):
        signed = [
            [e if own == r else -e for e in row]
            for row, own in zip(rows, data.classes, strict=True)
            if own in left
        ]
        entries = [e for row in signed for e in row]
        system = RationalMatrix(fmpz_mat(len(signed), d, entries), data.augmented.denominator)
        answer = common_descent(-system.T)
        if not answer.solvable:
            return r, answer.obstruction
    return None


@checked
def separates_class(data: LabelledData, r: int, q: RationalMatrix, others: Sequence[int]) -> bool:
    """Whether q . (x, 1) > 0 on class r and < 0 on the classes `others`, by substitution.

    >>> data = LabelledData([0, 2], [1, -1])
    >>> separates_class(data, 1, exact([-1, 1]), [0]), separates_class(data, 1, exact([1, 1]), [0])
    (True, False)
    """
    if q.shape != (data.augmented.shape[1], 1):
        raise ShapeError(f"q: shape {q.shape}, need {(data.augmented.shape[1], 1)}")
    values = zip((data.augmented @ q).entries(), data.classes, strict=True)
    return all(v > 0 if own == r else v < 0 or own not in others for v, own in values)


def _options(data: LabelledData, i: int, left: set[int]) -> list[tuple[int, fmpq, tuple]]:
    """What sample i can add to the equations: (packed vector, slope, switched classes).

    The equations of all but one class in `left` (their sum is 0) are stacked and scaled to
    integers; a vector is packed into one integer in a base so large that sums do not overlap.
    """
    own, kept = data.classes[i], sorted(left)[:-1]
    wrong = [r for r in sorted(left) if r != own]
    row = [int(e) for e in data.augmented.numerator.tolist()[i]]
    scale = _common(data.slopes) * _common(data.weights.entries())
    base = 2 * _bound(data, len(wrong), scale) + 1
    options = []
    for slope in data.slopes:
        strength = int((slope * data.weights[i, 0] * scale).p)
        for bits in range(1, 2 ** len(wrong)):
            on = tuple(r for k, r in enumerate(wrong) if bits >> k & 1)
            packed = 0
            for r in kept:
                count = len(on) if r == own else -(r in on)
                for e in row:
                    packed = packed * base + strength * count * e
            options.append((packed, slope, on))
    return options


def _common(values: Sequence[fmpq]) -> fmpz:
    common = fmpz(1)
    for value in values:
        common = common.lcm(value.q)
    return common


def _bound(data: LabelledData, wrong: int, scale: fmpz) -> int:
    """A bound on every entry of every sum of options."""
    largest = max(map(abs, data.augmented.numerator.entries()))
    total = sum(data.weights.entries(), fmpq(0)) * max(data.slopes) * scale
    return int(largest) * wrong * (int(total.p) // int(total.q) + 1)


class _Search:
    """Is a sum of options 0, at most one from each row and not all left out?

    `choice` has an option or None per row, or is None. Each side maps a reachable sum to the row
    and option by which it was reached first. Rows go to the smaller side.
    """

    def __init__(self, rows: list[list[int]], limit: int):
        self.rows, self.choice, self.used = rows, None, 0
        self.sides: tuple[dict, dict] = ({0: None}, {0: None})
        for number, row in enumerate(rows):
            side = min(self.sides, key=len)
            if self._extend(side, number, row, limit):
                return
            if len(side) > limit:
                break
            self.used += 1
        self.finished = self.used == len(rows)
        small, large = sorted(self.sides, key=len)
        for total in small:
            if total and -total in large:
                self.choice = self._merge(self._trace(small, total), self._trace(large, -total))
                return

    def _extend(self, side: dict, number: int, row: list[int], limit: int) -> bool:
        """Add a row to a side; True if a sum became 0."""
        for before in list(side):
            for k, option in enumerate(row):
                total = before + option
                if total == 0:
                    self.choice = self._merge(self._trace(side, before), {number: k})
                    return True
                if total not in side:
                    side[total] = (number, k)
            if len(side) > limit:
                return False
        return False

    def _trace(self, side: dict, total: int) -> dict[int, int]:
        """The options, by row, whose sum is `total`."""
        steps = {}
        while side[total] is not None:
            number, k = side[total]
            steps[number] = k
            total -= self.rows[number][k]
        return steps

    def _merge(self, *steps: dict[int, int]) -> list[int | None]:
        chosen = {number: k for part in steps for number, k in part.items()}
        return [chosen.get(number) for number in range(len(self.rows))]


def _rare(data: LabelledData, chosen: dict, conditions: list, values: dict) -> Certificate:
    """The refutation by chosen slopes and switches, after its check."""
    n, R = len(data.X), data.number_of_classes
    slopes = exact([chosen[i][0] if i in chosen else 1 for i in range(n)])
    switches = exact([[int(i in chosen and r in chosen[i][1]) for r in range(R)] for i in range(n)])
    if not is_rare_combination(data, slopes, switches):
        raise LscoreError("certify_generic: a combination failed its check by substitution")
    return _GENERIC.refuted(conditions, {"slopes": slopes, "switches": switches}, values=values)


@checked
def rare_from_subset_sum(numbers: Sequence[int], target: int) -> LabelledData:
    r"""Data that are rare if and only if some of the positive integers sum to `target`.

    All inputs are 0: one sample of class +1 with weight :math:`a_i` for each number, one of class
    -1 with weight T, one hidden layer and :math:`\alpha = 1/(1 + \sum_i a_i)`. A chosen + sample
    counts :math:`a_i` or :math:`\alpha a_i`. If the - sample counts T, the integer parts must agree
    and the alpha-part, below 1, must vanish; if it counts :math:`\alpha T < 1`, no + sample may
    count in full. Both say that a subset sums to T. Needs 1 <= T <= sum. Raises `DataError`.

    >>> certify_generic(rare_from_subset_sum([3, 5, 8, 13], 16)).verdict.value
    'refuted'
    >>> certify_generic(rare_from_subset_sum([3, 5, 8, 13], 17)).verdict.value
    'certified'
    """
    numbers = [int(number) for number in numbers]
    if not numbers or min(numbers) < 1 or not 1 <= target <= sum(numbers):
        raise DataError(
            f"numbers, target: got {list(numbers)} and {target}, need positive integers and "
            "1 <= target <= their sum"
        )
    weights = exact([*numbers, target])
    labels = [1] * len(numbers) + [-1]
    return LabelledData(zeros(len(labels)), labels, weights, fmpq(1, 1 + sum(numbers)), 1)
