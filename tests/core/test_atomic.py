import pytest

from foldwise.core.atomic import sole_writer
from foldwise.core.errors import InputError


def test_a_second_writer_of_an_output_is_refused(tmp_path):
    folder = tmp_path / "runs" / "0-0"
    with sole_writer(folder):
        with (
            pytest.raises(InputError, match="0-0: another training writes"),
            sole_writer(folder),
        ):
            pass
        with sole_writer(tmp_path / "runs" / "0-1"):
            pass
    with sole_writer(folder):
        pass


def test_the_lock_lies_beside_the_output(tmp_path):
    with sole_writer(tmp_path / "0-0"):
        assert [path.name for path in tmp_path.iterdir()] == ["0-0.lock"]
