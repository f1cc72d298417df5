import pytest
from rule_simulation import RULES, false_alarms, simulate

FOLDWISE = "expected shortfall ≤ 0.01 (Foldwise)"


@pytest.mark.parametrize(("m", "tau", "saved"), [(3, 0.01, 0.15), (6, 0.01, 0.3), (3, 0.003, 0.3)])
def test_a_lower_cost_is_bought_with_little_accuracy(m, tau, saved):
    mean = {name: rows.mean(0) for name, rows in simulate(m, tau, 300).items()}
    (lost, cost, _), (least, _, _) = mean[FOLDWISE], mean["highest mean"]
    assert least <= lost <= least + 0.0025
    assert cost <= -saved  # of the logarithm
    assert lost < mean["not significantly worse"][0]


def test_cheapest_of_equal_architectures_is_taken_more_often_than_if_the_folds_had_to_be_sure():
    cheapest = {name: rows[:, 2].mean() for name, rows in simulate(3, 0, 300).items()}
    assert cheapest[FOLDWISE] > 0.65
    sure = cheapest[next(name for name in RULES if "95 %" in name)]
    assert sure < 0.45


@pytest.mark.parametrize("k", [2, 3, 5])
def test_equal_architectures_differ_in_at_most_5_percent_also_with_two_folds(k):
    alarms, without_floor = false_alarms(k, 1500)
    assert alarms <= 0.05
    assert alarms <= without_floor
    assert k > 2 or without_floor > 0.05
