import itertools

import pytest
from figure_cases import Case
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from foldwise.files.verdict import METRICS
from foldwise.report.figures import scores
from foldwise.report.figures.scores import pareto_front

NUMBERS = st.integers(0, 5).map(float)  # few, so that there are ties


def panels(case):
    return scores.draw_pareto(case.comparison, case.verdict).axes


def marked(axes):
    """Return the place and face of every mark of an architecture."""
    return [
        (*line.get_xdata(), *line.get_ydata(), line.get_markerfacecolor())
        for line in axes.lines
        if line.get_markersize() == 8
    ]


@pytest.mark.parametrize("metric", [METRICS["accuracy"], METRICS["log_loss"]])
@given(points=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_front_is_what_nothing_beats_in_both(points, metric):
    def as_good(one, other):
        sign = 1 if metric.higher_is_better else -1
        return one[0] <= other[0] and sign * one[1] >= sign * other[1]

    unbeaten = {
        one for one in points if not any(as_good(other, one) and other != one for other in points)
    }
    front = pareto_front(points, metric)
    assert set(front) == unbeaten
    assert [cost for cost, _ in front] == sorted({cost for cost, _ in front})


def test_seconds_are_above_and_parameters_below_with_mean_and_std():
    case = Case({"a": [0.9, 0.7]}, costs={"a": (1.5, 77)})
    upper, lower = panels(case)
    assert "seconds of training" in upper.get_xlabel()
    assert lower.get_xlabel() == "parameters"
    for axes, cost in ((upper, 1.5), (lower, 77)):
        ((x, y, _),) = marked(axes)
        assert (x, y) == pytest.approx((cost, 0.8))
        (bar,) = axes.collections
        half = 0.02**0.5
        assert bar.get_segments()[0][:, 1] == pytest.approx([0.8 - half, 0.8 + half])


@pytest.mark.parametrize(("unit", "key"), [("macs", "MACs"), ("latency", "latency")])
def test_axis_names_the_cost_that_decides(unit, key):
    case = Case({"a": [0.9, 0.7]})
    case.verdict = case.verdict.model_copy(update={"cost_unit": unit})
    assert key in panels(case)[0].get_xlabel()


def test_what_ties_is_filled_and_the_chosen_one_is_ringed_and_says_so():
    case = Case({"a": [0.9, 0.8], "b": [0.7, 0.6], "c": [0.5, 0.4]})
    for axes in panels(case):
        hollow = [face == "C8" for *_, face in marked(axes)]
        assert hollow == [False, False, True]  # the best, the chosen, another
        (ring,) = [line for line in axes.lines if line.get_markersize() == 14]
        assert ring.get_ydata() == pytest.approx([0.65])
        names = [text.get_text() for text in axes.texts if text.get_text()]
        assert names == ["c", "b (chosen)", "a"]


def test_the_front_goes_down_where_lower_is_better():
    scores = {"a": [0.9, 0.7], "b": [0.6, 0.4], "c": [1.9, 1.7]}
    upper, _ = panels(Case(scores, metric="log_loss"))
    front = upper.lines[0]
    assert front.get_xdata() == pytest.approx([1.5, 2.5])
    assert front.get_ydata() == pytest.approx([0.8, 0.5])


def test_ticks_do_not_touch_however_far_apart_the_sizes_are():
    costs = {"a": (1.0, 1000), "b": (1.1, 300_000_000)}
    case = Case({"a": [0.9, 0.8], "b": [0.7, 0.6]}, costs=costs)
    figure = scores.draw_pareto(case.comparison, case.verdict)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels()]
    assert len(boxes) >= 3
    assert all(left.x1 + 2 < right.x0 for left, right in itertools.pairwise(boxes))


def test_names_are_a_column_beside_the_panel_each_with_a_line_to_its_point():
    costs = {"a": (1.0, 9000), "b": (9.0, 100), "c": (3.0, 70)}
    scores = {"a": [0.9, 0.8], "b": [0.86, 0.84], "c": [0.5, 0.4]}  # a and b have the same mean
    for axes, which in zip(panels(Case(scores, costs=costs)), (0, 1), strict=True):
        axes.figure.draw_without_rendering()
        boxes = [*map(Text.get_window_extent, axes.texts)]
        for text, box in zip(axes.texts, boxes, strict=True):
            name = text.get_text()[0]
            assert text.xy == pytest.approx((costs[name][which], 0.45 if name == "c" else 0.85))
            assert text.arrow_patch is not None
            assert box.x0 > axes.bbox.x1, "covers no mark, bar or front"
        for lower, upper in itertools.pairwise(sorted(boxes, key=lambda box: box.y0)):
            assert lower.y1 <= upper.y0


def test_of_many_the_best_the_chosen_one_and_the_front_have_names():
    names = [f"n{n:02}" for n in range(16)]  # best first; n14 and n15 are the cheapest
    costs = {name: (1.0 + at * (at < 14), 1000 + at) for at, name in enumerate(names)}
    costs["n13"] = (0.5, 500)
    case = Case({name: [0.9 - at / 100] * 2 for at, name in enumerate(names)}, costs=costs)
    case.verdict = case.verdict.model_copy(update={"chosen": "n12"})
    for axes in panels(case):
        texts = [text.get_text() for text in axes.texts]
        assert sorted(texts) == [*names[:10], "n12 (chosen)", "n13"]


def test_many_names_on_the_front_make_the_figure_higher():
    names = [f"n{n}" for n in range(40)]
    costs = {name: (41.0 - at, 1041 - at) for at, name in enumerate(names)}
    case = Case({name: [0.9 - at / 100, 0.8] for at, name in enumerate(names)}, costs=costs)
    upper, lower = panels(case)
    assert len(upper.texts) == len(lower.texts) == 40
    assert upper.figure.get_figheight() > 40 * 0.17 * 2


def test_every_fold_is_a_dot_beside_mean_and_standard_deviation():
    case = Case({"a": [0.9, 0.8, 0.7]})
    (axes,) = scores.draw_scores(case.comparison, case.scores).axes
    dots, mean, *_ = axes.lines
    assert dots.get_xdata().tolist() == [0.9, 0.8, 0.7]
    assert mean.get_xdata() == pytest.approx([0.8])
    assert abs(mean.get_ydata()[0] - dots.get_ydata()[0]) > 0.2, "neither hides the other"
    (bar,) = axes.collections
    assert bar.get_segments()[0][:, 0] == pytest.approx([0.7, 0.9])
