"""The verdicts that a chapter shows are stored as data beside their table."""

import pytest
from cases import PARABOLA

from lscore import certify_affine_minimum
from lscore.errors import DataError
from lscore.pages.ledger import Verdicts
from lscore.papers.yun2019 import certify_spurious, least_squares_minimum

W = least_squares_minimum(PARABOLA)
VERDICTS = Verdicts(
    [
        ("YUN-T1", "a & b", certify_spurious(PARABOLA, W)),
        ("YUN-B-T1-5", "moved", certify_affine_minimum(PARABOLA, W * 2)),
    ]
)
ROWS = [
    {"claim": "YUN-T1", "decided": "a & b", "verdict": "certified", "method": "exact"},
    {"claim": "YUN-B-T1-5", "decided": "moved", "verdict": "refuted", "method": "exact"},
]


OPEN, CLOSE = '<script type="application/json" class="lscore-verdicts">', "</script>"


def test_verdicts_store_their_rows_and_print_them():
    assert VERDICTS.data() == ROWS
    assert repr(VERDICTS) == (
        "claim       what was decided  verdict    how\n"
        "YUN-T1      a & b             certified  exact\n"
        "YUN-B-T1-5  moved             refuted    exact"
    )


def test_the_html_form_is_stable_escaped_and_carries_the_rows():
    one = Verdicts([("YUN-T1", "a & </script>", VERDICTS.rows[0][2])])
    assert one._repr_html_() == (
        '<div class="lscore-ledger"><table><thead><tr><th>claim</th><th>what was decided</th>'
        "<th>verdict</th><th>how</th></tr></thead><tbody><tr><td><code>YUN-T1</code></td>"
        "<td>a &amp; &lt;/script&gt;</td>"
        '<td><strong class="lscore-certified">certified</strong></td><td>exact</td></tr></tbody>'
        f'</table></div>{OPEN}[{{"claim": "YUN-T1", "decided": "a & \\u003c/script>", '
        f'"verdict": "certified", "method": "exact"}}]{CLOSE}'
    )


def test_a_mapping_of_certificates_makes_a_row_of_each():
    (_, _, first), (_, _, second) = VERDICTS.rows
    several = Verdicts([("YUN-T1", "spurious?", {"a": first, "b": second})])
    assert several.rows == (("YUN-T1", "spurious? a", first), ("YUN-T1", "spurious? b", second))


def test_verdicts_take_known_claims_and_certificates_only():
    with pytest.raises(DataError, match="id: no claim 'YUN-T9'"):
        Verdicts([("YUN-T9", "x", VERDICTS.rows[0][2])])
    with pytest.raises(DataError, match="rows: YUN-T1 comes with bool, need a Certificate"):
        Verdicts([("YUN-T1", "x", True)])
