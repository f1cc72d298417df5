import pytest
import yaml

from foldwise.cli.run import main
from foldwise.core.errors import InputError

HARDWARE = {"precision": "auto", "device": "cpu", "threads": 1}


@pytest.fixture
def params(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"hardware": HARDWARE, "train": "others' business"}))
    return path


def test_more_jobs_than_cores_are_refused_before_anything_runs(params, monkeypatch, capfd):
    monkeypatch.chdir(params.parent)
    with pytest.raises(InputError, match="--jobs is 100000, and hardware"):
        main(["--params", str(params), "--jobs", "100000"])
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in params.parent.iterdir()] == ["params.yaml"]


def test_where_dvc_fails_that_is_the_end_and_dvc_says_why(params, monkeypatch, capfd):
    monkeypatch.chdir(params.parent)
    with pytest.raises(
        InputError, match=r"'dvc repro prepare .*' ended with status 253; mend what"
    ):
        main(["--params", str(params)])
    assert "you are not inside of a DVC repository" in capfd.readouterr().err
