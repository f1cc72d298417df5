import itertools
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
        assert bool(re.search("failed|diverged", shown)) == any(
            one.scores is None for one in found[0].architectures
        )


def test_no_name_is_cut_off(case):
    accuracies = {f"{'x' * 29}{n}": [[0.9 - n / 100, 0.8]] for n in range(8)}
    accuracies["diverged"] = [[None, 0.1]]
    flags = case(accuracies)
    found = read(flags)
    for figure in figures(found):
        page = figure.bbox
        for text, box in texts_of(figure):
            if "x" * 29 in text or "diverged" in text or ", std" in text:
                assert page.x0 <= box.x0, text
                assert box.x1 <= page.x1, text
                assert page.y0 <= box.y0, text
                assert box.y1 <= page.y1, text


def test_every_fold_is_a_dot_beside_mean_and_standard_deviation(case):
    comparison, table, _ = read(case({"a": [[0.9, 0.8, 0.7]]}))
    (axes,) = scores.draw(comparison, table).axes
    dots, mean, *_ = axes.lines
    assert dots.get_xdata().tolist() == [0.9, 0.8, 0.7]
    assert mean.get_xdata() == pytest.approx([0.8])
    assert abs(mean.get_ydata()[0] - dots.get_ydata()[0]) > 0.2, "neither hides the other"
    (bar,) = axes.collections
    assert bar.get_segments()[0][:, 0] == pytest.approx([0.7, 0.9])


def test_curves_are_means_within_a_standard_deviation_to_each_side(case):
    comparison, _, table = read(case({"a": [[0.9, 0.8, 0.7]]}, epochs=2))
    accuracy = curves.draw(comparison, table).axes[0]
    (validation,) = (
        line for line in accuracy.lines if line.get_linewidth() == 2 and line.get_linestyle() == "-"
    )
    assert validation.get_ydata() == pytest.approx([0.4, 0.8])
    train, band = (one.get_paths()[0].vertices for one in accuracy.collections)
    assert sorted(set(band[band[:, 0] == 2][:, 1].round(9))) == [0.7, 0.9]
    assert sorted(set(train[train[:, 0] == 2][:, 1].round(9))) == [0.72, 0.92]


def test_cost_is_seconds_per_epoch_above_and_parameters_below(case):
    comparison, *_ = read(case({"a": [[0.9, 0.8]]}, cards={"a": {"parameters": 77}}))
    upper, lower = cost.draw(comparison).axes
    (seconds,), (parameters,) = upper.lines, lower.lines
    assert (*seconds.get_xdata(), *seconds.get_ydata()) == pytest.approx((1.5, 0.85))
    assert (*parameters.get_xdata(), *parameters.get_ydata()) == pytest.approx((77, 0.85))


def test_what_diverged_has_no_mean_line(case):
    flags = case({"good": [[0.9, 0.8]], "bad": [[0.9, None]]}, epochs=4)
    comparison, _, table = read(flags)
    figure = curves.draw(comparison, table)
    good, bad = figure.axes[0], figure.axes[2]
    assert max(line.get_linewidth() for line in good.lines) == 2
    assert max(line.get_linewidth() for line in bad.lines if line.get_marker() != "x") < 1
    assert (len(good.collections), len(bad.collections)) == (2, 0)


def crosses(axes):
    """Return the epochs at which a panel has a cross, and check that each is in view."""
    (line,) = (line for line in axes.lines if line.get_marker() == "x")
    assert all(0 < height < 1 for height in line.get_ydata())
    assert line.get_transform() == axes.get_xaxis_transform()
    return line.get_xdata().tolist()


def test_cross_marks_the_epoch_of_each_divergence(case):
    # Of the folds that diverge in epoch 4, the curves stay far below the axes.
    scores = {"good": [[0.9, 0.8, 0.9]], "bad": [[0.9, None, None]]}
    comparison, _, table = read(case(scores, epochs=4))
    axes = curves.draw(comparison, table).axes
    assert [crosses(panel) for panel in axes] == [[], [], [4, 4], [4, 4]]


def test_number_of_folds_that_diverged_stands_beside_the_row(case):
    comparison, table, _ = read(case({"good": [[0.9, 0.8]], "bad": [[0.9, None]]}))
    shown = [text for text, _ in texts_of(scores.draw(comparison, table))]
    assert "0.8500, std 0.0707" in shown
    assert "1 of 2 diverged" in shown


def test_ticks_do_not_touch_however_far_apart_the_sizes_are(case):
    sizes = {"a": {"parameters": 1000}, "b": {"parameters": 300_000_000}}
    comparison, *_ = read(case({"a": [[0.9, 0.8]], "b": [[0.7, 0.6]]}, cards=sizes))
    figure = cost.draw(comparison)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels()]
    assert len(boxes) >= 3
    assert all(left.x1 + 2 < right.x0 for left, right in itertools.pairwise(boxes))


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
