"""The stages first, race and train in a race, on files; a run with DVC is in tests/pipeline."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from foldwise.files.fold_record import read_predictions, read_record
from foldwise.files.race import FoldDecision, digest_record, read_first, write_decision
from foldwise.files.split import read_split
from stages.first import main as first
from stages.train import main as train


@pytest.fixture
def stage_flags(case, flags):
    """Return flags of train, and those of first, for a fold of lenet5."""

    def stage_flags(fold, *, race=True):
        words = flags("lenet5", fold=fold, epochs=1)
        params = yaml.safe_load((case / "params.yaml").read_text())
        compare = {"metric": "accuracy", "top_k": 3, "confidence": 0.95, "worth": 0.01}
        params["compare"] = compare | {"target": 0.9, "gap": 0.05, "race": race}
        (case / "params.yaml").write_text(yaml.safe_dump(params))
        options = dict(zip(words[::2], words[1::2], strict=True))
        del options["--race"], options["--first"]
        options |= {"--predictions": str(case / "first"), "--record": str(case / "first.json")}
        return words, [word for option in options.items() for word in option]

    return stage_flags


def decide(case, **decision):
    write_decision(case / "race.json", FoldDecision(**decision))


def test_the_first_fold_is_kept_instead_of_trained_again(case, stage_flags):
    words, of_first = stage_flags(0)
    first(of_first)
    record = read_first(case / "first.json")
    decide(case, trained=digest_record(record))
    train(words)
    assert read_record(case / "one" / "record.json") == record  # its seconds, too
    kept, trained = (read_predictions(case / name) for name in ("first", "one/run"))
    assert np.array_equal(kept.last, trained.last)
    assert not [*Path(case, "one", "run").glob("*.json")]


def test_a_lost_first_fold_trains_again_with_the_same_result(case, stage_flags):
    words, of_first = stage_flags(0)
    first(of_first)
    record = read_first(case / "first.json")
    kept = read_predictions(case / "first")
    shutil.rmtree(case / "first")
    decide(case, trained=digest_record(record))
    train(words)
    again = read_record(case / "one" / "record.json")
    assert again.timing != record.timing
    assert again.model_copy(update={"timing": record.timing}) == record
    assert np.array_equal(read_predictions(case / "one" / "run").last, kept.last)


def test_a_fold_that_is_left_out_has_a_record_and_no_predictions(case, stage_flags, capsys):
    words, of_first = stage_flags(1)
    first(of_first)
    decide(case, first=read_first(case / "first.json"), reason="0.3 on the first fold")
    capsys.readouterr()
    train(words)
    assert "stopped: 0.3 on the first fold" in capsys.readouterr().out
    record, split = read_record(case / "one" / "record.json"), read_split(case / "split")
    assert (record.status, record.fold, record.accuracy) == ("stopped", 1, None)
    assert (record.train_digest, record.n_validation) == (split.digests.train[1], 32)
    assert read_predictions(case / "one" / "run").index.size == 0


def test_without_a_race_first_trains_nothing(case, stage_flags):
    _, of_first = stage_flags(0, race=False)
    first(of_first)
    assert read_first(case / "first.json") is None
    assert [path.name for path in (case / "first").iterdir()] == ["first.json"]


def test_a_fold_that_is_left_out_loads_no_engine(case, stage_flags, torch_process):
    words, of_first = stage_flags(1)
    first(of_first)
    decide(case, first=read_first(case / "first.json"), reason="too bad")
    code = (
        "import sys; from stages.train import main; main(sys.argv[1:]); "
        "print('foldwise.engine.training' in sys.modules)"
    )
    assert torch_process.run("-c", code, *words).stdout.splitlines()[-1] == "False"
