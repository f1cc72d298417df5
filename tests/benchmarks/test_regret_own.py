from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from benchmarks.regret.grid import EPOCHS, IMAGES, MODELS, N_FOLDS
from benchmarks.regret.own import Runs, choose, main, mean_cost, read_grid
from foldwise.data.folds import training_steps
from foldwise.selection.few_steps import LONGEST, N_CANDIDATES, REGRETS
from foldwise.selection.image_scores import RepeatScores

ROOT = Path(__file__).parents[2]
BATCH = 64  # images a step, in params.yaml
N_IMAGES = 200


@pytest.fixture(scope="module")
def grid():
    return read_grid(ROOT / "benchmarks" / "regret" / "grid.csv")


def runs(accuracy, new, macs):
    """Return trainings with equal folds."""
    values = np.arange(N_IMAGES) < round(accuracy * N_IMAGES)
    images = RepeatScores(np.full(N_IMAGES, 1 / N_IMAGES), values.astype(float))
    return Runs(macs, [accuracy] * 3, images, new)


def test_regret_is_what_the_choice_gives_up_after_the_longest_training():
    short = {"a": runs(0.9, 0.5, 20), "b": runs(0.8, 0.5, 10), "c": runs(0.5, 0.5, 1)}
    final = {"a": runs(0.9, 0.93, 20), "b": runs(0.9, 0.95, 10), "c": runs(0.9, 0.6, 1)}
    choice = choose(short, final, ["c", "b", "a"])
    assert choice == pytest.approx((2, 2, False))
    assert choose(short, final, ["b", "c"]) == pytest.approx((0, 0, True))


def test_the_rule_takes_the_cheapest_of_equals():
    short = {"a": runs(0.9, 0.5, 20), "b": runs(0.9, 0.5, 10)}
    final = {"a": runs(0.9, 0.93, 20), "b": runs(0.9, 0.9, 10)}
    assert choose(short, final, ["a", "b"]) == pytest.approx((3, 0, True))


def test_means_are_over_all_sets_of_candidates(grid):
    one = {"digits": grid["digits"]}
    few, final = grid["digits"][EPOCHS[0]], grid["digits"][EPOCHS[-1]]
    choices = [choose(few, final, names) for names in combinations(MODELS, 2)]
    assert mean_cost(one, EPOCHS[0], 2) == pytest.approx(np.mean(choices, axis=0))


def test_the_report_quotes_the_grid(grid, capsys, monkeypatch):
    """After a change of the grid, the figures of few_steps.py and of the page follow it."""
    assert len(grid) == 4
    n_train = IMAGES - IMAGES // N_FOLDS
    assert [training_steps(n_train, epochs, BATCH) for epochs in EPOCHS] == [*REGRETS, LONGEST]
    regrets = [mean_cost(grid, epochs, N_CANDIDATES).rule / 100 for epochs in EPOCHS[:-1]]
    assert regrets == pytest.approx([*REGRETS.values()], abs=0.00005)
    monkeypatch.setattr("sys.argv", ["own", "--grid", f"{ROOT / 'benchmarks/regret/grid.csv'}"])
    main()
    assert capsys.readouterr().out in (ROOT / "docs" / "regret.md").read_text(encoding="utf-8")
