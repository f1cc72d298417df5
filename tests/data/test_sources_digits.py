import numpy as np
from sklearn.datasets import load_digits

from foldwise.data.sources import open_digits


def test_digits_are_scaled_from_16_to_255():
    source, reference = open_digits(), load_digits()
    pixels = np.stack([np.asarray(source.load(index)) for index in range(len(source.files))])
    assert pixels.dtype == np.uint8
    assert pixels.max() == 255
    assert np.abs(pixels / 255 - reference.images / 16).max() <= 0.5 / 255
    assert source.labels.tolist() == reference.target.tolist()


def test_digits_have_ten_classes_and_no_official_test():
    source = open_digits()
    assert source.classes == list("0123456789")
    assert len(source.files) == len(set(source.files)) == 1797
    assert not source.has_official_test
