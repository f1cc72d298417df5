"""The test: exact interval, metrics, and every model that was tested on the same images."""

import shutil

import numpy as np
import pytest
from git_command import git
from sklearn.metrics import confusion_matrix, recall_score

from foldwise.files.base import read_json
from foldwise.files.dataset import read_dataset
from foldwise.files.final import CalibrationRecord
from foldwise.files.final import TestRecord as Record
from foldwise.files.network import write_network
from foldwise.ship.model import predict_all, read_model
from foldwise.ship.testing import read_openings

N = 48


@pytest.fixture(scope="module")
def record(shipped):
    return read_json(shipped / "final" / "test.json", Record)


@pytest.fixture
def repository(shipped, tmp_path):
    """Return a copy of the shipped model in a git repository; its test is committed."""
    root = tmp_path / "project"
    shutil.copytree(shipped, root)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "final")
    git(root, "commit", "--quiet", "--message", "the first test")
    return root


def refit_with_rate(made, root, rate):
    write_network(root / "choice" / "network", made.network_of().with_learning_rate(rate))
    made.run_refit(root)


def openings(root):
    return read_json(root / "final" / "test.json", Record).openings


def test_scores_are_those_of_scikit_learn(record, shipped):
    dataset = read_dataset(shipped / "prepared")
    _, classifier = read_model(shipped / "model")
    images, labels = np.array(dataset.images[N:]), dataset.labels[N:]
    predicted = predict_all(classifier, images, "cpu").argmax(axis=1)
    assert record.accuracy == (predicted == labels).mean() == record.n_correct / len(labels)
    recalls = recall_score(labels, predicted, average=None, zero_division=np.nan)
    assert [each.recall for each in record.classes] == pytest.approx(recalls)
    table = np.zeros((2, 2), dtype=int)
    for true, guess, n in record.confusion:
        table[true, guess] = n
    assert (table == confusion_matrix(labels, predicted)).all()
    wrong = [int(at) + N for at in np.flatnonzero(predicted != labels)]
    assert {mistake.image for mistake in record.mistakes} <= {*wrong}
    assert len(record.mistakes) == min(len(wrong), 12)


def test_mistakes_are_the_wrong_images_of_which_the_model_is_surest(made, shipped, tmp_path):
    """All test images get the other label, so that all are wrong."""
    root = tmp_path / "turned"
    shutil.copytree(shipped, root)
    labels = np.load(root / "prepared" / "labels.npy")
    labels[N:] = 1 - labels[N:]
    np.save(root / "prepared" / "labels.npy", labels)
    made.run_test(root, "final/turned.json")
    found = read_json(root / "final" / "turned.json", Record).mistakes
    model, classifier = read_model(root / "model")
    images = np.array(read_dataset(root / "prepared").images)
    for mistake in found:
        assert mistake.file == f"{mistake.image}.png"
        assert mistake.true == model.classes[labels[mistake.image]]
        assert mistake.predicted == model.classes[1 - labels[mistake.image]]
    calibration = read_json(root / "calibration.json", CalibrationRecord)
    classifier.temperature.fill_(calibration.calibrated.temperature)
    surest = np.sort(predict_all(classifier, images[N:], "cpu").max(axis=1))[::-1][:12]
    assert [mistake.confidence for mistake in found] == pytest.approx(surest)


def test_the_interval_is_exact(record):
    """Clopper and Pearson: for all of n right, the lower limit is (alpha / 2)^(1 / n)."""
    low, high = record.interval
    if record.n_correct == record.n_images:
        assert low == pytest.approx(0.025 ** (1 / record.n_images))
    assert low < record.accuracy <= high <= 1


def test_a_test_outside_a_repository_is_the_first_as_far_as_is_known(record):
    assert [each.model for each in record.openings] == [record.model]
    assert not record.history_complete


def test_another_model_on_the_same_images_is_the_second(made, repository):
    (first,) = openings(repository)
    refit_with_rate(made, repository, 0.001)
    made.run_test(repository)
    before, this = openings(repository)
    assert before == first
    assert this.model != first.model


def test_a_test_that_was_never_committed_counts_as_well(made, repository):
    for rate in (0.001, 0.002):
        refit_with_rate(made, repository, rate)
        made.run_test(repository)
    assert len(openings(repository)) == 3


def test_a_test_on_another_branch_counts(made, repository):
    git(repository, "checkout", "--quiet", "-b", "other")
    refit_with_rate(made, repository, 0.001)
    made.run_test(repository)
    git(repository, "commit", "--quiet", "--all", "--message", "the second test")
    git(repository, "checkout", "--quiet", "main")
    refit_with_rate(made, repository, 0.002)
    made.run_test(repository)
    assert len(openings(repository)) == 3


def test_the_same_model_again_is_the_same_test(made, repository):
    before = (repository / "final" / "test.json").read_bytes()
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "later")
    made.run_test(repository)
    (opening,) = openings(repository)
    assert opening.model in before.decode()


def test_other_images_have_a_history_of_their_own(repository):
    found, complete, commit = read_openings(repository / "final" / "test.json", "0" * 64)
    assert (found, complete) == ([], True)
    assert len(commit) == 40
