import unicodedata

import numpy as np
import pandas as pd
import pytest
from figure_cases import Case, confusion
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foldwise.core.fonts import drawable
from foldwise.files.tables import CONFUSION
from foldwise.report.figures.matrices import (
    STEPS,
    UNDER_TEXT,
    class_names,
    draw_confusion,
    draw_pairs,
)
from foldwise.report.figures.style import as_svg, canvas


def written(axes):
    """Return the texts of each cell."""
    cells = {}
    for text in axes.texts:
        column, row = text.get_position()
        cells.setdefault((round(row), round(column)), []).append(text.get_text())
    return cells


def figure(images, classes=None):
    classes = classes or [f"c{n}" for n in range(len(images))]
    return draw_confusion(confusion(images, classes), classes, "net")


@settings(max_examples=10)
@given(st.lists(st.lists(st.integers(0, 99), min_size=3, max_size=3), min_size=3, max_size=3))
def test_every_cell_holds_its_images_and_their_share_of_the_row(images):
    images[0][0] += 1  # never empty
    (axes,) = figure(images).axes
    assert written(axes) == {
        (row, column): [str(count), f"{100 * count / sum(images[row]):.1f} %"]
        for row, counts in enumerate(images)
        for column, count in enumerate(counts)
        if count
    }
    right = images[0][0] + images[1][1] + images[2][2]
    assert axes.figure.get_suptitle().startswith(
        f"net: {right:,} of {np.sum(images):,} images correct ("
    )


def test_rows_are_true_classes():
    (axes,) = figure([[8, 2], [0, 5]], ["cat", "dog"]).axes
    assert written(axes)[0, 1] == ["2", "20.0 %"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]


def test_mistakes_have_another_colour_and_their_own_scale():
    (axes,) = figure([[97, 2, 0, 1], [0, 100, 0, 0], [30, 0, 70, 0], [0, 0, 0, 9]]).axes
    cells = axes.images[0].get_array()
    assert tuple(cells[0, 0, :3]) != tuple(cells[0, 1, :3]) == tuple(cells[2, 0, :3])
    right, two, none, one, thirty = (
        cells[place][3] for place in ((0, 0), (0, 1), (0, 2), (0, 3), (2, 0))
    )
    assert none == 0
    assert one == pytest.approx(UNDER_TEXT / len(STEPS))
    assert one < two < thirty == pytest.approx(UNDER_TEXT)
    assert right == pytest.approx(UNDER_TEXT * 0.97)


@pytest.mark.parametrize(("n", "held"), [(10, 2), (11, 1), (20, 1), (21, 0)])
def test_cells_hold_what_can_be_read(n, held):
    (axes,) = figure((np.eye(n, dtype=int) * 1234).tolist()).axes
    assert {len(texts) for texts in written(axes).values()} == ({held} if held else set())
    assert len(axes.get_yticklabels()) == n


def test_of_a_hundred_classes_the_most_confused_are_named_at_their_places():
    images = np.eye(100, dtype=int) * 50
    images[7, 93], images[8, 2], images[60, 61] = 30, 20, 10
    (axes,) = figure(images.tolist()).axes
    axes.figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c7", "c8", "c60"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["c2", "c61", "c93"]
    ends = [line.get_xydata()[0].tolist() for line in axes.lines]
    assert ends == [[0, 7], [0, 8], [0, 60], [2, 0], [61, 0], [93, 0]]
    beside = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert beside[0].y0 >= beside[1].y1 - 1, "names of neighbours do not touch"


def test_a_class_without_images_is_an_empty_row():
    table = pd.DataFrame([("a", "a", 3, 1.0)], columns=list(CONFUSION))
    (axes,) = draw_confusion(table, ["a", "none"], "net").axes
    assert written(axes) == {(0, 0): ["3", "100.0 %"]}
    assert axes.images[0].get_array()[1].sum(axis=-1).max() > 0, "drawn, without a colour"
    assert not axes.images[0].get_array()[1, :, 3].any()


def test_a_cell_says_how_surely_its_row_is_better_than_its_column():
    figure = draw_pairs(Case({"a": [0.7, 0.6], "b": [0.9, 0.8], "c": [0.8, 0.7]}).comparison)
    (axes,) = figure.axes
    bold = [text.get_text() for text in axes.texts if text.get_weight() == "bold"]
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["b  1", "c  2", "a  3"]  # best first
    assert written(axes) == {
        (0, 1): ["97 %", "= 2 %"],
        (1, 0): ["<1 %", "= 2 %"],
        (0, 2): ["61 %", "= 30 %"],
        (2, 0): ["9 %", "= 30 %"],
        (1, 2): ["61 %", "= 30 %"],
        (2, 1): ["9 %", "= 30 %"],
        **{(place, place): ["–"] for place in range(3)},
    }
    assert bold == ["97 %"]


def test_cells_are_bold_from_the_exact_confidence_as_the_legend_says():
    case = Case({"a": [0.7, 0.6], "b": [0.9, 0.8]})
    pairs = [case.comparison.pairs[0].model_copy(update={"better": 0.9499, "equal": 0.95})]
    figure = draw_pairs(case.comparison.model_copy(update={"pairs": pairs}))
    bold = {t.get_text(): t.get_weight() == "bold" for t in figure.axes[0].texts}
    assert (bold["95 %"], bold["= 95 %"]) == (False, True)
    assert "bold: at least 95 % before rounding." in figure.get_supxlabel().replace("\n", " ")


def test_the_more_probable_the_darker():
    (axes,) = draw_pairs(Case({"a": [0.7, 0.6], "b": [0.9, 0.8]}).comparison).axes
    opacity = axes.images[0].get_array()[..., 3]
    assert (opacity / UNDER_TEXT).ravel().tolist() == pytest.approx([0, 0.97, 0.009, 0])


def test_what_failed_has_no_row_but_is_named():
    figure = draw_pairs(Case({"a": [0.7, 0.6], "b": [0.9, 0.8], "c": [None, 1]}).comparison)
    assert len(figure.axes[0].get_yticklabels()) == 2
    assert figure.get_supxlabel().endswith("\nfailed: c")


@given(st.lists(st.text(), unique=True, max_size=8), st.integers(3, 8))
def test_no_two_classes_look_alike(classes, longest):
    shown = class_names(classes, longest)
    assert len(set(shown)) == len(classes)


@example("a\ufdd0b\uffff")
@given(st.text())
def test_every_text_becomes_one_line_of_glyphs_that_there_are(text):
    line = drawable(text)
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(each) == "Cf" for each in line)
    assert drawable(line) == line.strip() or line != line.strip()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("\ufdd0\ufdd1", "0: □□"),
        ("a\nb", "0: a b"),
        ("abcdefghijk", "0: abcd…ijk"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}tac", "0: tac"),
        ("a\ufdd0b", "0: a□b"),
        ("7: cat", "0: 7: cat"),
        ("", ""),
    ],
)
def test_a_class_that_is_not_shown_whole_has_its_number(name, shown):
    assert class_names([name], 8) == [shown]


def test_a_missing_glyph_is_no_warning():
    def draw():
        figure = canvas(1)
        figure.text(0.1, 0.5, drawable("\ufdd0\N{ZERO WIDTH JOINER}ä \x00 \U0010ffff"))
        return figure

    assert "svg" in as_svg(draw).light
