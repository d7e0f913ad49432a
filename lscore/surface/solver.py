r"""A loss surface, completely solved: all values of its local minima, in rationals.

One hidden layer, one output, squared loss. The closed cells are finitely many; each has one best
prediction, and every local minimum has one of these (`candidates`). Each of them is decided
(`places`). The cells go in chunks through a resumable sweep, and so do the decisions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from math import comb
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lscore.algebra.arguments import checked
from lscore.algebra.linear import rank
from lscore.algebra.matrices import augment, exact, rational
from lscore.cells.arrangement.hyperplanes import hyperplanes, integer_rows, most_patterns
from lscore.errors import BudgetError, DataError
from lscore.model.risk import Risk
from lscore.runs.sweeps import sweep
from lscore.surface.candidates import Candidate, cell_solutions, count_subsets
from lscore.surface.cones import Cones
from lscore.surface.listing import SETTING, Decision, Surface, surface_of
from lscore.surface.places import Places, Search

CELLS, CANDIDATES = 4096, 256  # in one chunk
LARGEST = 10**8  # pairs of a face and a ray
SECONDS = 3e-4  # for one cell, measured
SHOWN = 10_000  # cells from which on a bar is shown


@checked
def solve_surface(
    risk: Risk,
    *,
    limit: int = 100_000,
    workers: int = 1,
    folder: str | Path | None = None,
    cluster: object = None,
    progress: bool = True,
) -> Surface:
    """All values of local minima of a small surface, each with where it is attained and a point.

    One hidden layer with biases, one output, a two-piece activation, squared loss of any scale, no
    weight decay; `SettingError` names what else the risk has. Any data: repeated and collinear
    samples, and a sample alone. Exact, and the same for any number of `workers` (processes, or a
    `cluster` as in `sweep`). What is done stays in `folder` if there is one, and a solver that was
    killed goes on from there; `Surface.certify` trusts no file. Raises `BudgetError` with the time
    it may take if there are more than `limit` closed cells: N activation patterns and K units make
    up to as many as there are sets of at most K of 2N things. Sound and complete; claim B-SOLVE.

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> solve_surface(Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 2, 1]))
    samples: 3, hidden units: 1, values of local minima: 3
      1/4                      global    inside a cell
      3/4                      spurious  inside a cell
      1                        spurious  inside a cell
    """
    SETTING.require(risk)
    if workers < 1:
        raise DataError(f"workers: got {workers}, need 1 or more")
    width, slopes = risk.network.widths[1], risk.network.activations[0].slopes
    _check_size(risk, limit)
    cones = Cones(risk.exact_X, risk.exact_y, slopes)
    cells = count_subsets(len(cones.distinct), width)
    if cells > limit:
        raise BudgetError(_too_many(str(cells), cells, limit))
    problem = {
        "X": [[str(e) for e in row] for row in _rows(risk.exact_X)],
        "y": [str(e) for e in risk.exact_y.entries()],
        "slopes": [str(s) for s in slopes],
        "width": width,
    }
    how = {"jobs": workers, "cluster": cluster, "progress": progress and cells > SHOWN}
    with _kept(folder) as place:
        solved = sweep(solved_cells, [problem], range(-(-cells // CELLS)), place, **how)
        solutions, answers = _joined(cones, solved.results)
        first = {tuple(s.residual.entries()): list(s.support) for s in reversed(solutions)}
        supports = list(first.values())
        parts = [supports[i : i + CANDIDATES] for i in range(0, len(supports), CANDIDATES)]
        decided = sweep(
            decided_candidates, [problem | {"supports": p} for p in parts], [0], place, **how
        )
    texts = [text for result in decided.results for text in json.loads(str(result["decisions"]))]
    pairs = zip(supports, texts, strict=True)
    decisions = tuple(_decision(Candidate(cones, tuple(s)), text) for s, text in pairs)
    return surface_of(risk, cones, decisions, solutions, answers)


def _check_size(risk: Risk, limit: int) -> None:
    """Refuse what is far too large before anything is listed."""
    A = augment(risk.exact_X)
    samples, dimension = len(hyperplanes(integer_rows(A))[0]), rank(A)
    most = most_patterns(samples, dimension)
    cells = count_subsets(2 * most, risk.network.widths[1], 1000 * limit)
    pairs = 2 * comb(samples, dimension - 1) * 2**dimension * most
    if cells > 1000 * limit or pairs > LARGEST:
        raise BudgetError(_too_many(f"up to {cells} or more", cells, limit))


def _too_many(count: str, cells: int, limit: int) -> str:
    seconds = cells * SECONDS
    sizes = ((3600, "hours"), (60, "minutes"), (0, "seconds"))
    size, unit = next(pair for pair in sizes if seconds >= 2 * pair[0])
    time = f"{seconds / max(size, 1):.2g} {unit}" if seconds < 1e6 else "days or years"
    return (
        f"risk: {count} closed cells, about {time}, more than limit={limit}; fewer samples, inputs "
        "or hidden units make fewer"
    )


def _rows(A) -> Iterator[list]:
    entries, d = A.entries(), A.shape[1]
    return (entries[i : i + d] for i in range(0, len(entries), d))


@contextmanager
def _kept(folder: object) -> Iterator[Path]:
    """The folder, or one for the time being."""
    if folder is not None:
        yield Path(folder)
        return
    with TemporaryDirectory() as made:
        yield Path(made)


@lru_cache(maxsize=2)
def _cones(text: str) -> Cones:
    X, y, slopes = json.loads(text)
    return Cones(exact(X), exact(y), tuple(rational(s) for s in slopes))


def solved_cells(seed: int, X: list, y: list, slopes: list, width: int) -> Mapping[str, object]:
    """Chunk `seed` of the closed cells: the supports, padded by -1, and which is each cell's."""
    cones = _cones(json.dumps([X, y, slopes]))
    total = count_subsets(len(cones.distinct), width)
    start, stop = seed * CELLS, min((seed + 1) * CELLS, total)
    found, answers = cell_solutions(cones, width, start, stop)
    longest = max(len(solution.support) for solution in found)
    rows = [[*s.support, *[-1] * (longest - len(s.support))] for s in found]
    return {"supports": np.array(rows, dtype=np.int32), "answers": answers}


def decided_candidates(
    seed: int, X: list, y: list, slopes: list, width: int, supports: list
) -> Mapping[str, object]:
    """What is decided of the candidates with these supports, as one text."""
    cones = _cones(json.dumps([X, y, slopes]))
    found = []
    for support in supports:
        candidate = Candidate(cones, tuple(support))
        inside, not_inside = Search(candidate, width, True).run()
        anywhere, nowhere = inside, ()
        if inside is None:
            anywhere, nowhere = Search(candidate, width, False).run()
        texts = [[[str(e) for e in z.entries()] for z in zs] for zs in (not_inside, nowhere)]
        found.append([_text(inside), _text(anywhere), *texts])
    return {"decisions": json.dumps(found)}


def _text(places: Places | None) -> list | None:
    if places is None:
        return None
    weights = {str(v): str(weight) for v, weight in places.weights.items()}
    return [list(places.cones), weights, places.idle]


def _places(text: list | None) -> Places | None:
    if text is None:
        return None
    cones, weights, idle = text
    return Places(tuple(cones), {int(v): rational(e) for v, e in weights.items()}, idle)


def _decision(candidate: Candidate, text: list) -> Decision:
    inside, anywhere, *reasons = text
    reasons = (tuple(exact(z) for z in zs) for zs in reasons)
    return Decision(candidate, _places(inside), _places(anywhere), *reasons)


def _joined(cones: Cones, results) -> tuple[tuple[Candidate, ...], np.ndarray]:
    """The solutions of all chunks, each once, and which is each cell's."""
    places: dict[tuple[int, ...], int] = {}
    answers = []
    for result in results:
        rows = [tuple(v for v in row if v >= 0) for row in result["supports"].tolist()]
        here = np.array([places.setdefault(row, len(places)) for row in rows], dtype=np.int32)
        answers.append(here[result["answers"]])
    return tuple(Candidate(cones, row) for row in places), np.concatenate(answers)
