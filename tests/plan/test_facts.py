import dataclasses

import numpy as np
import pytest
from dataset_info import info_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foldwise.files.dataset import Dataset, DecodingFacts
from foldwise.plan.rules import background, compressed, measure_facts

IMAGES = arrays(np.uint8, st.tuples(*(st.integers(1, 6) for _ in range(4))))


@given(IMAGES)
def test_a_background_is_the_share_of_the_commonest_pixel(images):
    shares = []
    for image in images:
        pixels = [tuple(pixel) for row in image for pixel in row]
        shares.append(max(pixels.count(pixel) for pixel in pixels) / len(pixels))
    assert background(images) == pytest.approx(np.mean(shares))


@given(IMAGES)
def test_other_colours_and_mirrored_images_have_the_same_background(images):
    assert background(images + 77) == background(images)  # modulo 256
    assert background(images[:, :, ::-1]) == background(images)


def test_noise_does_not_compress_and_what_is_plain_does():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)
    assert compressed(noise) == pytest.approx(1, abs=0.01)
    assert compressed(np.full_like(noise, 200)) < 0.01
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8)[:, None], (50, 16, 16, 3))
    assert compressed(ramp) < 0.01  # each pixel follows from the one before it


def test_noise_and_a_cut_out_square_lie_on_two_sides_of_the_threshold():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 16, 16, 1), dtype=np.uint8)
    assert background(images) < 0.05
    images[:, :8] = 0
    assert background(images) == pytest.approx(0.5, abs=0.02)


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    info = info_of("abc", (12, 9, 2), 1000, 500)
    labels = np.minimum(np.arange(1500) % 10, 2)  # 10, 10 and 80 %
    return Dataset(info, rng.integers(0, 256, (1500, 12, 9, 2), dtype=np.uint8), labels)


def test_facts_count_what_trains(dataset):
    facts = measure_facts(dataset, has_gpu=True)
    assert (facts.side, facts.channels, facts.n_images) == (9, 2, 1000)
    assert (facts.n_classes, facts.smallest_class, facts.has_gpu) == (3, 100, True)
    assert facts.per_class == pytest.approx(333.3, abs=0.1)


def test_size_of_the_files_is_that_of_the_images_unless_prepare_says_otherwise(dataset):
    assert measure_facts(dataset, has_gpu=False).file_side == 9
    decoding = DecodingFacts(file_size=[300, 200])
    info = dataset.info.model_copy(update={"decoding": decoding})
    dataset = dataclasses.replace(dataset, info=info)
    assert measure_facts(dataset, has_gpu=False).file_side == 200


def test_images_held_out_are_left_alone(dataset):
    facts = measure_facts(dataset, has_gpu=False)
    dataset.images[1000:] = 0
    dataset.labels[1000:] = 0
    assert measure_facts(dataset, has_gpu=False) == facts
    dataset.images[:1000] = 0
    assert measure_facts(dataset, has_gpu=False) != facts


def test_a_sample_of_large_images_fits_into_memory(dataset):
    """Mapped from disk, a thousand of them would be gigabytes."""
    large = np.broadcast_to(np.uint8(3), (1500, 2048, 2048, 3))
    facts = measure_facts(dataclasses.replace(dataset, images=large), has_gpu=False)
    assert facts.background == 1
