import shutil
from pathlib import Path

import pytest
import yaml

from foldwise.cli.main import run_command
from foldwise.core.errors import InputError

SEVEN = ("lenet5", "nin", "resnet18", "alexnet", "resnet20", "resnet34", "vgg11")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(name, tmp_path)
    monkeypatch.chdir(tmp_path)


def texts():
    return [Path(name).read_text() for name in ("params.yaml", "dvc.yaml")]


def listed(*names, capsys):
    run_command(["candidates", *names])
    return capsys.readouterr().out


def test_any_number_of_candidates_fits_and_check_agrees(capsys):
    before = texts()
    for names, fit in ((SEVEN, "4 to 8"), (("nin",), "1 to 2"), ((*SEVEN[:3], "nin"), "2 to 4")):
        page = listed(*names, capsys=capsys)
        unique = list(dict.fromkeys(names))
        assert yaml.safe_load(texts()[0])["candidates"] == unique
        assert ", ".join(unique) in page
        assert f"slots for {fit} names -> dvc.yaml" in page
        run_command(["check"])
        assert f"{len({*names, 'slim_vgg'})} architectures" in capsys.readouterr().out
    listed("lenet5", "slim_vgg", "vgg_resnet", capsys=capsys)
    assert texts() == before


def test_dvc_yaml_is_not_touched_if_the_names_fit(capsys):
    Path("dvc.yaml").chmod(0o444)
    before = texts()[1]
    assert "in dvc.yaml already" in listed(*SEVEN[:4], capsys=capsys)
    assert texts()[1] == before


def test_nothing_is_written_if_a_name_is_wrong():
    before = texts()
    with pytest.raises(InputError, match=r"candidates\[7\] is 'lenet6'.* did you mean 'lenet5'"):
        run_command(["candidates", *SEVEN, "lenet6"])
    assert texts() == before


def test_without_names_the_present_ones_are_listed(capsys):
    before = texts()
    page = listed(capsys=capsys)
    assert "lenet5, slim_vgg, vgg_resnet; dvc.yaml has slots for 2 to 4 names" in page
    assert "model: slim_vgg" in page
    assert texts() == before


def test_lists_with_different_slots_are_mended(capsys):
    path = Path("dvc.yaml")
    path.write_text(path.read_text().replace("      - data/runs/${candidates[1]}\n", ""))
    with pytest.raises(InputError, match=r"inspect has the slots .*: 'foldwise candidates NAMES'"):
        run_command(["check"])
    listed(*SEVEN, capsys=capsys)
    run_command(["check"])
