import numpy as np

from foldwise.files.fold_record import Predictions, read_predictions, write_predictions

PREDICTIONS = Predictions(
    index=np.array([1, 5]),
    last=np.array([[0.1, 0.9], [2, -1]], dtype=np.float32),
    best=np.array([[0.3, 0.4], [1, -2]], dtype=np.float32),
)


def test_what_is_written_is_read(tmp_path):
    write_predictions(tmp_path / "run", PREDICTIONS)
    read = read_predictions(tmp_path / "run")
    for name in ("index", "last", "best"):
        one, other = getattr(read, name), getattr(PREDICTIONS, name)
        assert np.array_equal(one, other)
        assert one.dtype == other.dtype


def test_same_predictions_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_predictions(tmp_path / name, PREDICTIONS)
    one, two = (tmp_path / name / "predictions.npz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
