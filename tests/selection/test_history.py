"""Architectures that were compared on the same folds before, in a real repository."""

import json
import math
import shutil
import subprocess

import pytest
from comparisons import findings
from git_command import git
from records import flags, record, record_path, write_case

from foldwise.files.base import read_json
from foldwise.files.comparison import Comparison
from foldwise.files.fold_record import read_record, write_record
from foldwise.selection.history import History, read_history
from stages.compare import main

SCORES = {"a": [[0.92, 0.95, 0.9]], "b": [[0.90, 0.90, 0.88]]}


def commit(root):
    git(root, "add", "--all")
    git(root, "commit", "-qm", "x")


@pytest.fixture
def case(tmp_path):
    """Return a function that compares in a repository, and returns comparison.json; its folder."""
    git(tmp_path, "init", "-q")
    arguments = write_case(tmp_path, SCORES)

    def compared():
        main(arguments)
        return read_json(tmp_path / "out" / "comparison.json", Comparison)

    return compared, tmp_path


def add(root, model, **changes):
    path = record_path(root / "folds", model, 0, 1)
    write_record(path, record(model, 0, 1, **changes))
    return path


def test_names_come_from_the_disk_from_commits_and_from_experiments(case):
    compared, root = case
    assert compared().design.compared_before == []
    add(root, "on_disk")
    commit(root)
    assert compared().design.compared_before == ["on_disk"]
    add(root, "committed")
    commit(root)
    shutil.rmtree(root / "folds/committed")
    commit(root)
    add(root, "tried")
    commit(root)
    git(root, "update-ref", "refs/exps/12/34/name", "HEAD")
    git(root, "reset", "-q", "--hard", "HEAD~1")
    found = compared()
    assert found.design.compared_before == ["committed", "on_disk", "tried"]
    assert found.design.history_complete
    assert found.n_tests == 10  # of five architectures
    (pair,) = found.pairs
    assert pair.p_holm == pytest.approx(min(1, 10 * pair.p))
    text = json.loads((root / "out/verdict.json").read_text())["text"]
    assert "counts 10 pairs, because committed, on_disk and tried were compared on these" in text


def test_records_of_other_images_and_of_trainings_that_diverged_do_not_count(case):
    compared, root = case
    add(root, "other_images", train_digest="0" * 64)
    add(root, "failed", accuracy=None)
    for name, text in (("broken", "{"), ("strange", '{"status": "finished", "repeat": [0]}')):
        (root / f"folds/{name}").mkdir()
        (root / f"folds/{name}/0-1.json").write_text(text)
    assert compared().design.compared_before == []


def set_versions(root, model, version):
    for path in (root / "folds" / model).glob("*.json"):
        write_record(path, read_record(path).model_copy(update={"version": version}))


def test_each_version_that_was_compared_under_one_name_counts(case):
    """Of five variants of b under its name, the best one was not compared with a alone."""
    compared, root = case
    commit(root)  # of an older release: no version, which may be that of any other record
    for letter in "12345":
        set_versions(root, "b", letter * 64)
        commit(root)
    found = compared()
    assert found.design.compared_before == [f"b {letter * 8}" for letter in "1234"]
    assert found.n_tests == math.comb(2 + 4, 2)
    text = json.loads((root / "out/verdict.json").read_text())["text"]
    assert "counts 15 pairs, because 4 other versions of b were compared on these folds" in text
    set_versions(root, "b", "1" * 64)  # back to an earlier one
    commit(root)
    assert compared().design.compared_before == [f"b {letter * 8}" for letter in "2345"]
    shutil.rmtree(root / ".git")  # a clone without these commits has the list of the committed file
    git(root, "init", "-q")
    commit(root)
    assert compared().n_tests == 15


def test_versions_of_an_architecture_that_is_left_out_now_count(case):
    compared, root = case
    path = add(root, "tried", version="1" * 64)
    commit(root)
    add(root, "tried", version="2" * 64)
    assert compared().design.compared_before == ["tried 11111111", "tried 22222222"]
    path.unlink()
    assert compared().design.others == ["tried"]


def test_an_unknown_version_is_no_other_one(case):
    compared, root = case
    set_versions(root, "b", "1" * 64)
    commit(root)
    set_versions(root, "b", None)
    assert compared().design.compared_before == []


def test_clone_without_experiments_and_shallow_ones_give_the_same_bytes(case):
    compared, root = case
    commit(root)
    add(root, "tried")
    commit(root)
    git(root, "update-ref", "refs/exps/12/34/name", "HEAD")
    git(root, "reset", "-q", "--hard", "HEAD~1")
    compared()
    commit(root)
    text = (root / "out/comparison.json").read_bytes()
    for name, depth in (("whole", ()), ("shallow", ("--depth=1",))):
        clone = root.parent / f"{root.name}_{name}"
        git(root, "clone", "-q", *depth, root.as_uri(), clone)
        (clone / "out/comparison.json").unlink()
        main([word.replace(str(root), str(clone)) for word in flags(root)])
        assert (clone / "out/comparison.json").read_bytes() == text


def test_without_a_repository_the_disk_counts_and_the_comparison_says_so(tmp_path):
    main(write_case(tmp_path, SCORES))
    add(tmp_path, "on_disk")
    records = [read_record(p) for p in sorted((tmp_path / "folds").glob("[ab]/*.json"))]
    found = read_history(tmp_path / "folds", tmp_path / "new/comparison.json", records)
    assert found.compared_before == ["on_disk"]
    assert not found.history_complete


def test_comparing_two_alone_does_not_make_a_difference_significant():
    """Of four architectures p was .078, and of the best two alone .013 on the same folds."""
    scores = {
        "a": [[0.95, 0.96, 0.94, 0.955, 0.95]],
        "b": [[0.93, 0.945, 0.93, 0.93, 0.935]],
        "c": [[0.92, 0.93, 0.93, 0.91, 0.92]],
        "d": [[0.90, 0.93, 0.91, 0.92, 0.91]],
    }
    best = {name: scores[name] for name in "ab"}
    before = History(["c", "d"], history_complete=True, folds_digest="")
    alone, again = (findings(best, history=history) for history in (None, before))
    (p,) = (pair.p_holm for pair in again.comparison.pairs)
    assert p == pytest.approx(math.comb(4, 2) * alone.comparison.pairs[0].p_holm)
    assert p >= findings(scores).comparison.pairs[0].p_holm


def test_merge_compares_alike_before_and_after_its_commit(case):
    compared, root = case
    commit(root)
    git(root, "checkout", "-qb", "other")
    path = add(root, "tried")
    commit(root)
    path.unlink()
    commit(root)
    git(root, "checkout", "-q", "-")
    git(root, "merge", "-q", "--no-ff", "--no-commit", "other")
    before = compared()
    assert before.design.compared_before == ["tried"]
    commit(root)
    assert compared() == before


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="git signs with ssh-keygen here")
def test_signed_commits_count_whatever_git_shows_of_them(case, tmp_path_factory):
    compared, root = case
    key = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", key], check=True)
    for setting in (
        *("gpg.format=ssh", f"user.signingKey={key}", "commit.gpgSign=true"),
        "log.showSignature=true",
    ):
        git(root, "config", *setting.split("="))
    add(root, "signed")
    commit(root)
    shutil.rmtree(root / "folds/signed")
    commit(root)
    assert compared().design.compared_before == ["signed"]
