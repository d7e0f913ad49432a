"""Certificates say no more than their conditions support, and print the same text every time."""

import re

import pytest
from cases import PARABOLA
from certificates import make
from flint import fmpq

from lscore import Condition, Verdict, certify_affine_minimum, exact
from lscore.certificates import CertificateError, Question, show
from lscore.minima.descent import certify_along
from lscore.papers.yun2019 import least_squares_minimum

TRUE = Condition("a < b", True, fmpq(1, 3))
ASKED = Question("YUN-T1", "x & y")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"verdict": "certified", "method": "float", "conditions": [TRUE]}, "float result"),
        ({"verdict": "certified"}, "certified needs conditions"),
        ({"verdict": "certified", "conditions": [TRUE, Condition("c", False)]}, "all of them true"),
        ({"verdict": "certified", "conditions": [TRUE, Condition("c", None)]}, "all of them true"),
        ({"verdict": "refuted"}, "refuted needs a witness"),
        ({"verdict": "unknown"}, "unknown needs a reason"),
        ({"verdict": "unknown", "method": "guess", "reason": "r"}, "method: got 'guess'"),
    ],
)
def test_inconsistent_certificates_cannot_be_made(keywords, message):
    with pytest.raises(CertificateError, match=message):
        make(**keywords)


def test_only_the_three_verdicts_exist():
    assert [str(v) for v in Verdict] == ["certified", "refuted", "unknown"]
    with pytest.raises(ValueError, match="maybe"):
        make("maybe", reason="r")


@pytest.mark.parametrize("method", ["exact", "ball"])
def test_a_certificate_has_no_truth_value(method):
    certificate = make("certified", method, conditions=[TRUE])
    assert certificate.certified
    assert not certificate.refuted
    with pytest.raises(TypeError, match=r"use \.certified or \.refuted"):
        bool(certificate)


def test_a_certificate_cannot_be_changed():
    certificate = make("unknown", reason="r", values={"a": 1})
    with pytest.raises(AttributeError):
        certificate.verdict = Verdict.CERTIFIED
    with pytest.raises(TypeError):
        certificate.values["a"] = 2
    source = {"risk": 1}
    refuted = make("refuted", "float", witness=source)
    source.clear()
    assert refuted.witness == {"risk": 1}


def test_a_question_is_answered_by_what_each_verdict_needs():
    more = {"values": {"a": 1}}
    assert str(ASKED.certified([TRUE], **more)) == str(make("certified", conditions=[TRUE], **more))
    refuted = make("refuted", "float", conditions=[TRUE], witness={"w": 2}, reason="r")
    assert str(ASKED.refuted([TRUE], {"w": 2}, reason="r", method="float")) == str(refuted)
    assert str(ASKED.unknown("r")) == str(make("unknown", reason="r"))
    assert Question("YUN-T1", "x & y", "ball").unknown("r").method == "ball"
    for wrong in (
        lambda: ASKED.certified([Condition("c", False)]),
        lambda: ASKED.certified([TRUE], method="float"),
        lambda: ASKED.refuted([TRUE], {}),
        lambda: ASKED.unknown(""),
    ):
        with pytest.raises(CertificateError):
            wrong()


def test_an_answer_is_taken_over_as_it_is_found():
    parts = {"conditions": [TRUE], "witness": {"w": 2}, "reason": "r"}
    other = Question("B-RAY", "z")
    found = other.refuted([TRUE], {"w": 2}, reason="r", values={"a": 1}, method="ball")
    assert str(ASKED.as_found(found)) == str(make("refuted", "ball", **parts))
    more = {"conditions": [], "witness": {"v": 3}, "reason": "", "values": {"b": 4}}
    assert str(ASKED.as_found(found, **more)) == str(make("refuted", "ball", **more))
    assert ASKED.as_found(other.unknown("r"), method="ball").method == "ball"
    floats = other.refuted([], {"w": 2}, method="float")
    with pytest.raises(CertificateError, match="refuted needs a witness"):
        ASKED.as_found(floats, witness={})


def test_the_first_line_that_does_not_hold_ends_it():
    yes, no, open_ = ("a", True, "-", fmpq(1), "room"), ("b", False, "b = 2"), ("c", None, "a tie")
    all_hold = ASKED.line_by_line([yes, ("d", True, "-")], values={"e": 5})
    conditions = [Condition("a", True, fmpq(1), "room"), Condition("d", True)]
    assert str(all_hold) == str(make("certified", conditions=conditions, values={"e": 5}))
    refuted = ASKED.line_by_line([yes, no, open_], values={"e": 5})
    conditions[1] = Condition("b", False)
    witness = {"what_fails": "b = 2"}
    assert str(refuted) == str(make("refuted", conditions=conditions, witness=witness))
    undecided = ASKED.line_by_line(iter([open_, no]))
    expected = make("unknown", conditions=[Condition("c", None)], reason="a tie")
    assert str(undecided) == str(expected)
    with pytest.raises(CertificateError, match="certified needs conditions"):
        ASKED.line_by_line([])


def test_text_form_is_stable():
    certificate = certify_affine_minimum(PARABOLA, least_squares_minimum(PARABOLA))
    assert (
        str(certificate)
        == repr(certificate)
        == (
            "certified (exact): the point is a local minimum  [YUN-T1]\n"
            "  holds     every hidden unit stays on one linear piece, "
            "distance to the nearest knot 1\n"
            "  holds     residuals orthogonal to every affine function\n"
            "  value     risk = 2\n"
            "  value     radius = 0.632455"
        )
    )
    refuted = certify_along(PARABOLA, exact([0] * 7), exact([0] * 6 + [1]))
    assert str(refuted) == (
        "refuted (exact): the point is a local minimum  [B-RAY]\n"
        "  witness   direction: column(0, 0, 0, 0, 0, 0, 1)\n"
        "  witness   order: 1\n"
        "  witness   coefficient: -14\n"
        "  witness   lower point: column(0, 0, 0, 0, 0, 0, 1)\n"
        "  witness   decrease there: 12"
    )


def test_html_form_is_stable_and_escaped():
    certificate = make(
        "unknown",
        conditions=[TRUE, Condition("<b>", None)],
        reason='a "reason" <script>',
        values={"row_of_two": "<i>"},
    )
    assert certificate._repr_html_() == (
        '<div class="lscore-certificate"><p><strong class="lscore-unknown">unknown</strong> '
        "(exact): x &amp; y <code>YUN-T1</code></p><table>"
        "<tr><td>holds</td><td>a &lt; b, margin 1/3</td></tr>"
        "<tr><td>undecided</td><td>&lt;b&gt;</td></tr>"
        "<tr><td>reason</td><td>a &quot;reason&quot; &lt;script&gt;</td></tr>"
        "<tr><td>value</td><td>row of two = &lt;i&gt;</td></tr></table></div>"
    )


@pytest.mark.parametrize("name", ["lower point", "g'Hg", "<i>", "2nd", ""])
@pytest.mark.parametrize("kind", ["values", "witness"])
def test_facts_are_named_by_identifiers_and_printed_in_words(name, kind):
    with pytest.raises(CertificateError, match=re.escape(repr(name)) + ": need an identifier"):
        make("unknown", reason="r", **{kind: {name: 1}})
    shown = str(make("unknown", reason="r", **{kind: {"lower_point": 1, "gradient_curvature": 2}}))
    assert re.search("lower point(:| =) 1", shown)
    assert re.search("g'Hg(:| =) 2", shown)


def test_long_numbers_are_shown_short():
    assert show(fmpq(1, 3)) == "1/3"
    assert show(fmpq(1, 3**60)) == "2.35898e-29 (exact rational, 97 bits)"
    assert show(0.1 + 0.2) == "0.3"
    assert show(exact([["1/3"] * 30])) == "exact, shape (1, 30)"
    assert show(exact([1, 2])) == "column(1, 2)"
    assert show("text") == "text"
