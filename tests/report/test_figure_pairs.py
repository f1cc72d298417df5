import pytest
from figure_cases import Case
from hypothesis import example, given
from hypothesis import strategies as st

from foldwise.report.figures import matrices
from foldwise.report.figures.matrices import UNDER_TEXT, percent


def cells(figure):
    """Return the texts of each cell, and those that are bold."""
    (axes,) = figure.axes
    found = {}
    for text in axes.texts:
        column, row = text.get_position()
        found.setdefault((round(row), round(column)), []).append(text.get_text())
    return found, [text.get_text() for text in axes.texts if text.get_weight() == "bold"]


def test_a_cell_says_how_surely_its_row_is_better_than_its_column():
    figure = matrices.draw_pairs(
        Case({"a": [0.7, 0.6], "b": [0.9, 0.8], "c": [0.8, 0.7]}).comparison
    )
    found, bold = cells(figure)
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["b  1", "c  2", "a  3"]  # best first
    assert found == {
        (0, 1): ["97 %", "= 2 %"],
        (1, 0): ["1 %", "= 2 %"],
        (0, 2): ["61 %", "= 30 %"],
        (2, 0): ["9 %", "= 30 %"],
        (1, 2): ["61 %", "= 30 %"],
        (2, 1): ["9 %", "= 30 %"],
        **{(place, place): ["–"] for place in range(3)},
    }
    assert bold == ["97 %"]


def test_the_more_probable_the_darker():
    (axes,) = matrices.draw_pairs(Case({"a": [0.7, 0.6], "b": [0.9, 0.8]}).comparison).axes
    opacity = axes.images[0].get_array()[..., 3]
    assert (opacity / UNDER_TEXT).ravel().tolist() == pytest.approx([0, 0.97, 0.009, 0])


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({"a": [0.7, 0.6]}, "no pair to compare: only a finished"),
        ({"a": [0.7, 0.6], "b": [None, 1]}, "no pair to compare: only a finished\nfailed: b"),
        ({"a": [None, 0.6]}, "no pair to compare: no architecture finished\nfailed: a"),
    ],
)
def test_fewer_than_two_are_said_in_words(scores, words):
    figure = matrices.draw_pairs(Case(scores).comparison)
    assert not figure.axes
    assert [text.get_text() for text in figure.texts] == [words]


def test_what_failed_has_no_row_but_is_named():
    figure = matrices.draw_pairs(
        Case({"a": [0.7, 0.6], "b": [0.9, 0.8], "c": [None, 1]}).comparison
    )
    assert len(figure.axes[0].get_yticklabels()) == 2
    assert figure.get_supxlabel().endswith("\nfailed: c")


@example(0.005)
@example(0.995)
@given(st.floats(0, 1))
def test_a_percentage_is_all_or_nothing_only_where_the_share_is(share):
    shown = percent(share)
    assert (shown == "0 %") == (share == 0)
    assert (shown == "100 %") == (share == 1)
    if shown[0] not in "<>":
        assert abs(int(shown.removesuffix(" %")) - 100 * share) <= 0.5 + 1e-9
