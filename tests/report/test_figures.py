import re
from pathlib import Path

import matplotlib as mpl
import pytest

from stages.contracts.comparison import read_comparison, read_curves, read_scores
from stages.report.figures import cost, curves, scores
from stages.report.figures.style import as_svg, canvas, marks

CASES = {
    "one": {"a": [[0.9, 0.8]]},
    "all_failed": {"a": [[0.9, None]], "b": [[None, None]]},
    "two": {"a": [[0.9, 0.8]], "b": [[0.7, 0.95]]},
    "equal": {"a": [[0.9, 0.9]], "b": [[0.9, 0.9]]},
    "eight_with_long_names": {f"{'x' * 29}{n}": [[0.9, 0.8]] * 3 for n in range(8)},
}


def read(flags):
    comparison, scores, curves = (Path(flags[index]) for index in (1, 3, 5))
    return read_comparison(comparison), read_scores(scores), read_curves(curves)


@pytest.fixture(params=CASES)
def found(request, case):
    flags = case(CASES[request.param], epochs=1 if request.param == "two" else 4)
    return read(flags)


def texts_of(figure):
    """Return every visible text with its box, in pixels."""
    figure.draw_without_rendering()
    found = figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_visible())
    return [(text.get_text(), text.get_window_extent()) for text in found if text.get_text()]


def figures(found):
    comparison, score_table, curve_table = found
    return [
        scores.draw(comparison, score_table),
        curves.draw(comparison, curve_table),
        cost.draw(comparison),
    ]


def test_every_architecture_is_named_in_every_figure(found):
    for figure in figures(found):
        shown = " ".join(text for text, _ in texts_of(figure))
        for one in found[0].architectures:
            assert re.search(rf"\b{one.name}\b", shown)
        assert ("failed" in shown) == any(one.scores is None for one in found[0].architectures)


def test_no_name_is_cut_off(case):
    accuracies = {f"{'x' * 29}{n}": [[0.9 - n / 100, 0.8]] for n in range(8)}
    accuracies["diverged"] = [[None, 0.1]]
    flags = case(accuracies)
    found = read(flags)
    for figure in figures(found):
        page = figure.bbox
        for text, box in texts_of(figure):
            if "x" * 29 in text or "diverged" in text or "±" in text:
                assert page.x0 <= box.x0, text
                assert box.x1 <= page.x1, text
                assert page.y0 <= box.y0, text
                assert box.y1 <= page.y1, text


def test_what_diverged_has_no_mean_line(case):
    flags = case({"good": [[0.9, 0.8]], "bad": [[0.9, None]]}, epochs=4)
    comparison, _, table = read(flags)
    figure = curves.draw(comparison, table)
    good, bad = figure.axes[0], figure.axes[2]
    assert max(line.get_linewidth() for line in good.lines) == 2
    assert max(line.get_linewidth() for line in bad.lines if line.get_marker() != "x") < 1
    assert (len(good.collections), len(bad.collections)) == (2, 0)
    assert [line.get_marker() for line in bad.lines].count("x") == 2
    assert not any(line.get_marker() == "x" for line in good.lines)


def test_same_colour_in_all_figures_and_a_new_candidate_changes_none():
    names = [f"n{index}" for index in range(20)]
    every = marks(names)
    assert len(set(every.values())) == 20
    assert marks(names[:5]) == {name: every[name] for name in names[:5]}


def test_svg_is_the_same_every_time_whatever_the_settings(case):
    flags = case(CASES["two"])
    comparison, table, _ = read(flags)
    first = as_svg(lambda: scores.draw(comparison, table))
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": None, "axes.edgecolor": "red"}):
        assert as_svg(lambda: scores.draw(comparison, table)) == first
    assert "fill: #ffffff" in first
    assert "dc:date" not in first
    assert "matplotlib.org" not in re.sub(r"<!--.*?-->", "", first)


def test_a_dollar_is_a_dollar():
    def draw():
        figure = canvas(1)
        figure.text(0.1, 0.5, "a $ b $ \\frac")
        return figure

    assert "svg" in as_svg(draw)
