"""Every public function against good and bad arguments: an answer or a named error, always.

``LSCORE_FUZZ=10000 pytest tests/test_fuzz.py`` runs that many calls instead of about 2000 and
prints the counts.
"""

import os
from collections import Counter

import pytest
from fuzz_pool import ENTRIES, EVERYTHING, Worker, parameters
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

CALLS = int(os.environ.get("LSCORE_FUZZ", 2000))
COUNTS = Counter()
# no shrinking: a hang would be repeated a hundred times
SETTINGS = settings(derandomize=True, deadline=None, database=None, phases=[Phase.generate])


@pytest.fixture(scope="module")
def worker():
    started = Worker()
    yield started
    started.close()
    print(dict(COUNTS))


@pytest.mark.parametrize("name", ENTRIES)
def test_the_pool_has_something_for_every_parameter(name):
    """A new public function needs objects of its types in `POOL`."""
    assert [key for key, (_, good) in parameters(name).items() if not good] == []


@st.composite
def calls(draw, name):
    """Pool names for the parameters: mostly what fits, sometimes anything."""
    chosen = {}
    for key, (needed, good) in parameters(name).items():
        if needed or draw(st.integers(0, 3)) == 0:
            names = good if key == "self" or draw(st.integers(0, 3)) else tuple(EVERYTHING)
            chosen[key] = draw(st.sampled_from(names))
    return chosen


@pytest.mark.slow
@pytest.mark.parametrize("name", ENTRIES)
def test_every_call_is_answered_or_refused_by_name(name, worker):
    @settings(SETTINGS, max_examples=max(CALLS // len(ENTRIES), 1))
    @given(calls(name))
    def every_call(chosen):
        result = worker.run(name, chosen)
        COUNTS[result.split(":")[0]] += 1
        assert result in ("returned", "refused"), f"{name}({chosen}): {result}"

    every_call()
