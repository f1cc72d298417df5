import functools
import io
import itertools
import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from figure_cases import Case, confusion
from final_records import calibration_record, quality
from matplotlib.text import Text

from foldwise.report.figures import calibration, curves, matrices, scores
from foldwise.report.figures.matrices import shades
from foldwise.report.figures.style import DARK, LIGHT, as_svg, canvas, marks, styled

LONG = "x" * 34
EIGHT = {f"{LONG}{n}": [0.9 - n / 100, 0.87, 0.86] for n in range(8)}
CASES = {
    "one": Case({"a": [0.9, 0.8]}),
    "all_failed": Case({"a": [0.9, None], "b": [None, None]}),
    "one_finished_one_epoch": Case({"a": [0.9, 0.8], "b": [None, 0.95]}, epochs=1),
    "equal": Case({"a": [0.9, 0.9], "b": [0.9, 0.9]}, costs={"a": (1.0, 99), "b": (1.0, 99)}),
    "eight_with_long_names": Case(EIGHT, epochs=10),
    "eight_of_which_seven_failed": Case(
        {name: [0.9, None if index else 0.8] for index, name in enumerate(EIGHT)}
    ),
    "lower_is_better": Case({"a": [1.9, 0.8], "b": [0.3, 0.2]}, metric="log_loss"),
    "no_cost": Case({"a": [0.9, 0.8], "b": [0.7, 0.6]}, costs={"a": (0.0, 0), "b": (1.0, 9)}),
}
HOSTILE = [
    "$x^2$ $",
    "a\nb",
    "<script>alert(1)</script>",
    "--> ]]> &amp;",
    "مرحبا",
    "你好",
    "_x",
    "",
]
CLASSES = {
    "two": ["cat", "dog"],
    "twenty_long": [f"{'W' * 30} number {n}" for n in range(20)],
    "thirty_six": [f"A class of long name no {n}" for n in range(36)],
    "hundred_long": [f"{'W' * 30} number {n}" for n in range(100)],
    "hostile": HOSTILE,
}


def matrix(n):
    """Return counts in which each class is taken for its two neighbours, ever more often."""
    return [
        [
            90 if row == column else row + 1 if (column - row) % n in (1, n - 1) else 0
            for column in range(n)
        ]
        for row in range(n)
    ]


def draws(case):
    """Return the figures that `draw_figures` draws of a comparison."""
    figures = {
        "scores": lambda: scores.draw_scores(case.comparison, case.scores),
        "curves": lambda: curves.draw_curves(case.comparison, case.curves),
    }
    if case.comparison.finished:
        figures["pareto"] = lambda: scores.draw_pareto(case.comparison, case.verdict)
    if case.comparison.pairs:
        figures["pairs"] = lambda: matrices.draw_pairs(case.comparison)
    return figures


def confused(classes, model="a"):
    table = confusion(matrix(len(classes)), classes)
    return lambda: matrices.draw_confusion(table, classes, model)


QUICK = (
    "one_finished_one_epoch",
    "eight_with_long_names",
    "confusion-hostile",
    "confusion-two",
    "calibration",
)


def mostly_slow(names):
    """Return the names, of which those that do not begin like QUICK run with the slow tests."""
    return [pytest.param(n, marks=() if n.startswith(QUICK) else pytest.mark.slow) for n in names]


DRAWN = {f"{case}-{name}": draw for case in CASES for name, draw in draws(CASES[case]).items()}
DRAWN |= {
    "calibration-reliability": lambda: calibration.draw_reliability(
        {"before": quality(0.08), "after": quality(0.02)}
    ),
    "calibration-reliability-of-a-mean": lambda: calibration.draw_reliability(
        {"single networks": quality(0.08)}
    ),
    "calibration-risk": lambda: calibration.draw_risk(calibration_record().risk),
}
DRAWN |= {f"confusion-{name}": confused(classes, LONG) for name, classes in CLASSES.items()}


def texts_of(figure):
    """Return every text that is drawn with its box, in pixels."""
    figure.draw_without_rendering()
    found = figure.findobj(lambda one: isinstance(one, Text) and one.get_visible())
    hidden = [
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks() + axis.get_minor_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    return [
        (text.get_text(), Text.get_window_extent(text))  # without the line to a point
        for text in found
        if text.get_text().strip() and text not in hidden
    ]


@functools.cache
def shown(name):
    """Return the box of the page, and every text with its box."""
    with styled():
        figure = DRAWN[name]()
        return figure.bbox, texts_of(figure)


@pytest.mark.parametrize("name", mostly_slow(DRAWN))
def test_nothing_is_cut_off_and_no_text_lies_on_another(name):
    page, texts = shown(name)
    assert texts
    for text, box in texts:
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text
        assert page.y0 <= box.y0, text
        assert box.y1 <= page.y1, text
    for (one, box), (other, other_box) in itertools.combinations(texts, 2):
        apart_x = box.x1 <= other_box.x0 + 1 or other_box.x1 <= box.x0 + 1
        apart_y = box.y1 <= other_box.y0 + 1 or other_box.y1 <= box.y0 + 1
        assert apart_x or apart_y, (one, other)


@pytest.mark.parametrize("name", mostly_slow(CASES))
def test_every_architecture_is_named_in_every_figure(name):
    case = CASES[name]
    failed = any(one.scores is None for one in case.comparison.architectures)
    for figure in draws(case):
        words = " ".join(text for text, _ in shown(f"{name}-{figure}")[1])
        for one in case.comparison.architectures:
            assert re.search(rf"\b{one.name}\b", words)
        assert bool(re.search("failed|diverged", words)) == failed


@pytest.mark.parametrize(
    "name",
    ["confusion-two", "one-curves", pytest.param("equal-curves", marks=pytest.mark.slow)],
)
def test_svg_is_the_same_every_time_whatever_the_settings(name):
    first = as_svg(DRAWN[name])
    hostile = {"font.size": 20, "svg.hashsalt": None, "text.color": "red", "lines.linewidth": 9}
    hostile |= {"axes.titleweight": "bold", "figure.titleweight": "bold"}
    with mpl.rc_context(hostile):
        assert as_svg(DRAWN[name]) == first
    for svg in first:
        assert "dc:date" not in svg
        assert "matplotlib" not in svg
        assert ET.fromstring(svg.encode()).get("width") == "576pt"


def test_a_dark_page_shows_through_and_its_figure_has_other_colours_only():
    light, dark = as_svg(DRAWN["one-scores"])
    assert "fill: #ffffff" in light
    colours = re.compile(r"#[0-9a-f]{6}\b")
    assert set(colours.findall(dark)) <= {
        colour.lower() for colour in (*DARK.colours, DARK.ink, DARK.grid, DARK.paper, DARK.faded)
    }
    assert set(colours.findall(light)) <= {
        colour.lower()
        for colour in (*LIGHT.colours, LIGHT.ink, LIGHT.grid, LIGHT.paper, LIGHT.faded)
    }
    assert colours.sub("", light) == colours.sub("", dark).replace("fill: none", "fill: ", 1)


def test_the_cells_of_a_matrix_have_the_colours_of_their_page():
    light, dark = as_svg(DRAWN["confusion-two"])
    pixels = re.compile(r"base64,([^\"]+)")
    assert pixels.search(light)[1] != pixels.search(dark)[1]
    with styled(LIGHT):
        text = io.StringIO()
        DRAWN["confusion-two"]().savefig(text, format="svg")
    assert pixels.search(text.getvalue())[1].split() == pixels.search(light)[1].split()


def test_no_name_becomes_markup_or_mathematics():
    svg, _ = as_svg(DRAWN["confusion-hostile"])
    elements = {element.tag.split("}")[1] for element in ET.fromstring(svg.encode()).iter()}
    assert elements.isdisjoint({"script", "a", "text", "foreignObject"})
    assert "<!--" not in svg
    assert "alert" not in svg


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Return the ratio of WCAG 2, 1.4.3."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", [LIGHT, DARK])
def test_text_can_be_read_on_the_page_and_on_every_cell(page):
    paper, ink, faded = map(mpl.colors.to_rgb, (page.paper, page.ink, page.faded))
    assert contrast(ink, paper) >= 4.5
    assert contrast(faded, paper) >= 4.5
    for colour in page.colours[:2]:  # of matrices
        for share in (0.0, 0.5, 1.0):
            *over, opacity = shades(np.array(share), colour).tolist()
            cell = [opacity * a + (1 - opacity) * b for a, b in zip(over, paper, strict=True)]
            assert contrast(ink, cell) >= 4.5
    for colour in page.colours:
        assert contrast(mpl.colors.to_rgb(colour), paper) >= 2.2  # never alone: a name is beside


@pytest.mark.slow
def test_svgs_stay_small():
    ten_folds = {name: [0.9 + fold / 1000 for fold in range(10)] for name in EIGHT}
    case = Case(ten_folds, epochs=10)
    assert len(as_svg(draws(case)["curves"]).light) < 140_000
    assert len(as_svg(DRAWN["confusion-hundred_long"]).light) < 80_000


def test_a_mark_is_the_same_in_all_figures_and_a_new_candidate_changes_none():
    names = [f"n{index}" for index in range(42)]
    every = marks(names)
    assert len(set(every.values())) == 42
    assert marks(names[:5]) == {name: every[name] for name in names[:5]}
    assert all(
        one.colour != other.colour and one.marker != other.marker
        for one, other in itertools.pairwise(every.values())
    )


def test_numbers_or_divergences_stand_beside_the_row():
    case = Case({"good": [0.9, 0.8], "bad": [0.9, None]})
    shown = [text for text, _ in texts_of(scores.draw_scores(case.comparison, case.scores))]
    assert "0.8500, std 0.0707" in shown
    assert "1 of 2 diverged" in shown


@pytest.mark.parametrize(("metric", "best"), [("log_loss", "lowest"), ("macro_f1", "highest")])
def test_axes_name_the_metric_and_which_end_is_best(metric, best):
    case = Case({"a": [0.9, 0.8], "b": [0.7, 0.6]}, metric=metric)
    label = case.comparison.design.decides.label
    for name in ("scores", "pareto"):
        shown = " ".join(text for text, _ in texts_of(draws(case)[name]()))
        assert label in shown
        assert f"{best} is best" in shown


def test_a_hair_is_not_drawn_as_a_chasm():
    case = Case({"a": [0.9, 0.9], "b": [0.9001, 0.9001]})
    (axes,) = scores.draw_scores(case.comparison, case.scores).axes
    low, high = axes.get_xlim()
    assert high - low >= 0.02
    upper, _ = scores.draw_pareto(case.comparison, case.verdict).axes
    low, high = upper.get_ylim()
    assert high - low >= 0.02


def test_a_dollar_is_a_dollar():
    def draw():
        figure = canvas(1)
        figure.text(0.1, 0.5, r"a $\frac$ b")  # an error in mathematics
        return figure

    assert "svg" in as_svg(draw).light
