import pytest
import yaml
from quick import SECTIONS

from foldwise.core.errors import InputError
from foldwise.files.base import write_json
from foldwise.files.forecast import read_forecast
from foldwise.files.network import write_network
from stages.forecast import main

PLAN = {"model": "b", "candidates": ["a", "b", "a"], "repeats": [0, 3], "folds": [0, 1]}


@pytest.fixture
def flags(tmp_path, info, network_of):
    def flags(**changed):
        params = tmp_path / "params.yaml"
        params.write_text(yaml.safe_dump({**SECTIONS, **PLAN, **changed}))
        write_json(tmp_path / "prepared" / "dataset.json", info)
        for name in ("a", "b"):
            network = network_of("lenet5").model_copy(update={"name": name})
            write_network(tmp_path / "models" / name, network)
        paths = {
            "params": params,
            "dataset": tmp_path / "prepared",
            "models": tmp_path / "models",
            "output": tmp_path / "out",
        }
        return [str(one) for flag, path in paths.items() for one in (f"--{flag}", path)]

    return flags


def test_it_says_first_how_long_each_architecture_takes(flags, tmp_path, capsys):
    main(flags())
    forecast = read_forecast(tmp_path / "out" / "minutes.json")
    assert [(run.model, run.repeat, run.fold) for run in forecast.runs] == [
        (model, repeat, fold) for model in "ba" for repeat in (0, 3) for fold in (0, 1)
    ]  # the model under test is the first of dvc.yaml's matrix
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("forecast: ") for line in lines)
    assert lines[-1].startswith("forecast: 2 architectures × 4 folds, about ")


def test_other_timings_leave_what_training_depends_on(flags, tmp_path):
    main(flags())
    before = (tmp_path / "out" / "ready.json").read_bytes()
    main(flags(folds=[0, 1, 2], train={**SECTIONS["train"], "epochs": 9}))
    assert (tmp_path / "out" / "ready.json").read_bytes() == before


def test_an_architecture_that_is_not_built_is_named(flags):
    with pytest.raises(InputError, match=r"models/c/network.json is missing; run 'dvc repro'"):
        main(flags(model="c"))
