import itertools
import math

import pytest
from figure_cases import Case
from hypothesis import given
from hypothesis import strategies as st

from foldwise.files.verdict import METRICS
from foldwise.report.figures import pareto
from foldwise.report.figures.labels import GAP, nearest
from foldwise.report.figures.pareto import pareto_front

NUMBERS = st.integers(0, 5).map(float)  # few, so that there are ties


def panels(case):
    return pareto.draw_pareto(case.comparison, case.verdict).axes


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
    assert (upper.get_xlabel(), lower.get_xlabel()) == ("seconds per epoch", "parameters")
    for axes, cost in ((upper, 1.5), (lower, 77)):
        ((x, y, _),) = marked(axes)
        assert (x, y) == pytest.approx((cost, 0.8))
        (bar,) = axes.collections
        half = 0.02**0.5
        assert bar.get_segments()[0][:, 1] == pytest.approx([0.8 - half, 0.8 + half])


def test_where_machines_differ_macs_are_the_cost():
    case = Case({"a": [0.9, 0.7]})
    rule = case.verdict.rule.model_copy(update={"cost": "macs"})
    case.verdict = case.verdict.model_copy(update={"rule": rule})
    assert panels(case)[0].get_xlabel() == "MACs for one image"


def test_what_ties_is_filled_and_the_chosen_one_is_ringed_and_says_so():
    case = Case({"a": [0.9, 0.8], "b": [0.7, 0.6], "c": [0.5, 0.4]})
    for axes in panels(case):
        hollow = [face == "C8" for *_, face in marked(axes)]
        assert hollow == [False, False, True]  # the best, the chosen, another
        (ring,) = [line for line in axes.lines if line.get_markersize() == 14]
        assert ring.get_ydata() == pytest.approx([0.65])
        names = [text.get_text() for text in axes.texts if text.get_text()]
        assert names == ["a", "b (chosen)", "c"]


def test_the_front_goes_down_where_lower_is_better():
    scores = {"a": [0.9, 0.7], "b": [0.6, 0.4], "c": [1.9, 1.7]}
    upper, _ = panels(Case(scores, metric="log_loss"))
    front = upper.lines[0]
    assert front.get_xdata() == pytest.approx([1.5, 2.5])
    assert front.get_ydata() == pytest.approx([0.8, 0.5])


def test_ticks_do_not_touch_however_far_apart_the_sizes_are():
    costs = {"a": (1.0, 1000), "b": (1.1, 300_000_000)}
    case = Case({"a": [0.9, 0.8], "b": [0.7, 0.6]}, costs=costs)
    figure = pareto.draw_pareto(case.comparison, case.verdict)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels()]
    assert len(boxes) >= 3
    assert all(left.x1 + 2 < right.x0 for left, right in itertools.pairwise(boxes))


def test_nothing_finished_is_said_in_words():
    case = Case({"a": [None, 0.6]})
    figure = pareto.draw_pareto(case.comparison, case.verdict)
    assert [text.get_text() for text in figure.texts] == ["no architecture finished\nfailed: a"]


def test_names_stand_beside_their_own_points_in_both_panels():
    costs = {"a": (1.0, 9000), "b": (9.0, 100), "c": (3.0, 70)}
    case = Case({"a": [0.9, 0.8], "b": [0.7, 0.6], "c": [0.5, 0.4]}, costs=costs)
    for axes, which in zip(panels(case), (0, 1), strict=True):
        for text, mean in zip(axes.texts, (0.85, 0.65, 0.45), strict=True):
            name = text.get_text()[0]
            point = axes.transData.transform((costs[name][which], mean))
            box = text.get_window_extent()
            beside = nearest(point, (box.x0, box.y0), (box.width, box.height))
            assert math.dist(point, beside) <= 1.5 * GAP


def test_a_name_does_not_lie_on_the_bar_of_another():
    costs = {"best": (0.5, 50), "a_long_name": (1.0, 100), "wide": (1.1, 110)}  # no step between
    scores = {"best": [0.91, 0.89], "a_long_name": [0.71, 0.69], "wide": [0.95, 0.25]}
    for axes in panels(Case(scores, costs=costs)):
        box = axes.texts[1].get_window_extent()
        assert axes.texts[1].get_text() == "a_long_name (chosen)"
        (x, low), (_, high) = axes.transData.transform(axes.collections[2].get_segments()[0])
        assert low < box.y0 < box.y1 < high, "else it could not lie on it"
        assert not box.x0 < x < box.x1
