"""Which architecture is shipped, and what stops that before anything is trained."""

from pathlib import Path

import numpy as np
import pytest

from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.comparison import Comparison
from foldwise.files.final import FinalParams, read_final_params
from foldwise.files.fold_record import Predictions
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.files.verdict import Verdict
from foldwise.ship.choice import choose_final, join_out_of_fold

ROOT = Path(__file__).parents[2]
FINAL = read_final_params(ROOT / "final" / "params.yaml")


@pytest.fixture
def choose(default_info):
    """Return a function that chooses from the reports in git, with changes."""
    params = read_params(ROOT / "params.yaml", *RUN_KEYS, "prepare", "train")
    comparison = read_json(ROOT / "reports/comparison.json", Comparison)
    verdict = read_json(ROOT / "reports/verdict.json", Verdict)

    def choose(final=None, chosen=verdict.chosen, n_test=9, **architecture):
        architectures = [
            each.model_copy(update=architecture if each.name == "lenet5" else {})
            for each in comparison.architectures
        ]
        reports = (
            comparison.model_copy(update={"architectures": architectures}),
            verdict.model_copy(update={"chosen": chosen}),
        )
        settings = FINAL.model_copy(update=final or {})
        info = default_info.model_copy(update={"n_test": n_test})
        return choose_final(settings, params, reports, info), reports

    return choose


@pytest.fixture
def default_info(shipped):
    from foldwise.files.dataset import read_info

    return read_info(shipped / "prepared")


def test_the_verdict_is_taken_with_its_corrected_score(choose):
    choice, (comparison, verdict) = choose()
    assert (choice.architecture, choice.epochs) == (verdict.chosen, comparison.design.epochs)
    assert choice.expected.corrected
    assert choice.expected.value == verdict.score.value


def test_another_architecture_is_taken_with_its_mean(choose):
    choice, (comparison, _) = choose({"architecture": "lenet5", "epochs": 30})
    (lenet5,) = [each for each in comparison.architectures if each.name == "lenet5"]
    assert (choice.architecture, choice.epochs) == ("lenet5", 30)
    assert (choice.expected.value, choice.expected.corrected) == (lenet5.scores.mean, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"chosen": None}, "verdict.json: nothing can be chosen; set architecture in final/"),
        ({"final": {"architecture": "nin"}}, "'nin', which was not compared; expected verdict, "),
        ({"final": {"architecture": "lenet5"}, "scores": None}, "lenet5 has no score .*; choose"),
        ({"final": {"architecture": "lenet5"}, "seen_images": 7}, "had seen 7 images .*; choose"),
        ({"final": {"members": 6}}, "members is 6; the comparison has 5 folds: set at most"),
        ({"n_test": 0}, "has no test images; set prepare.test_fraction in params.yaml over 0"),
    ],
)
def test_what_cannot_be_shipped_is_one_line(choose, arguments, message):
    with pytest.raises(InputError, match=message) as error:
        choose(**arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("coverage: 1.5", "coverage is 1.5; expected less than 1"),
        ("members: 0", "members is 0; expected"),
        ("epochs: long", "epochs is 'long'; expected"),
        ("architecture: ../x", "architecture is '../x'; expected"),
        ("classes: 3", "classes"),
    ],
)
def test_wrong_parameters_are_one_line_each(tmp_path, line, message):
    text = (ROOT / "final" / "params.yaml").read_text()
    key = line.partition(":")[0]
    kept = [each for each in text.splitlines() if not each.startswith(f"{key}:")]
    (tmp_path / "params.yaml").write_text("\n".join([*kept, line]))
    with pytest.raises(InputError, match=message):
        read_final_params(tmp_path / "params.yaml")


def test_every_image_has_the_logits_of_the_network_that_did_not_train_on_it():
    rng = np.random.default_rng(0)
    runs = {}
    for repeat in range(2):
        for fold, index in enumerate(np.split(rng.permutation(6), 3)):
            logits = np.stack([index, np.full(2, 10 * repeat + fold)], axis=1).astype(np.float32)
            runs[repeat, fold] = Predictions(index, logits, logits)
    joined = join_out_of_fold(runs, range(2), 6)
    assert joined.shape == (2, 6, 2)
    assert (joined[:, :, 0] == np.arange(6)).all()
    assert (joined[:, :, 1] // 10 == np.arange(2)[:, None]).all()


def test_the_parameters_in_git_are_valid():
    assert FinalParams.model_validate(FINAL.model_dump()).architecture == "verdict"
