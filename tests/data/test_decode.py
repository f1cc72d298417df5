import os
import threading
import time
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data import threads
from foldwise.data.class_folders import open_folder
from foldwise.data.decode import decode_images
from foldwise.data.pixels import PixelSettings, decode_image

NATIVE = PixelSettings()
SMALL = PixelSettings((4, 4))


def test_images_come_in_the_order_of_the_source(source_of, tmp_path):
    images = [Image.new("RGB", (3, 2), (i % 256, i // 256, 0)) for i in range(300)]
    decoded = decode_images(source_of(images), NATIVE, tmp_path / "x.npy")
    assert np.array_equal(decoded.pixels, np.stack([np.asarray(image) for image in images]))


def test_number_of_threads_changes_no_byte(save, tmp_path, monkeypatch):
    source = open_folder(str(save(*(f"{c}/{i}.jpg" for c in "ab" for i in range(40)))))
    files = []
    for n_threads in (1, 2, 7):
        monkeypatch.setattr(threads, "count_cores", lambda n=n_threads: n)
        decode_images(source, SMALL, tmp_path / f"{n_threads}.npy")
        files.append((tmp_path / f"{n_threads}.npy").read_bytes())
    assert files[0] == files[1] == files[2]


def test_equal_content_is_equal_pixels(source_of, tmp_path):
    black, white = Image.new("L", (2, 2)), Image.new("RGB", (2, 2), "white")
    source = source_of([white, black, black.convert("RGB"), white])
    assert decode_images(source, NATIVE, tmp_path / "x.npy").content_ids.tolist() == [0, 1, 1, 0]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_content_is_numbered_in_order_of_first_appearance(source_of, tmp_path_factory, values):
    path = tmp_path_factory.mktemp("content") / "x.npy"
    images = [Image.new("L", (2, 2), value) for value in values]
    content = decode_images(source_of(images), NATIVE, path).content_ids
    seen = list(dict.fromkeys(values))
    assert content.tolist() == [seen.index(value) for value in values]


def test_all_grey_only_if_every_image_is(source_of, tmp_path):
    grey, colour = Image.new("L", (2, 2)), Image.new("RGB", (2, 2), "red")
    as_rgb = Image.new("RGBA", (2, 2), (7, 7, 7, 255))
    assert decode_images(source_of([grey, as_rgb]), NATIVE, tmp_path / "x.npy").is_grey
    assert not decode_images(source_of([grey, colour]), NATIVE, tmp_path / "x.npy").is_grey
    assert not decode_images(source_of([colour, grey]), NATIVE, tmp_path / "x.npy").is_grey


@pytest.mark.parametrize("colour", [(7, 7, 7), (7, 7, 8)])
def test_images_in_memory_are_grey_if_their_channels_are_equal(source_of, colour, tmp_path):
    pixels = np.full((3, 2, 2, 3), colour, dtype=np.uint8)
    source = replace(source_of([None] * 3), pixels=pixels)
    decoded = decode_images(source, NATIVE, tmp_path / "x.npy")
    assert decoded.is_grey == (colour == (7, 7, 7))
    assert np.array_equal(decoded.pixels, pixels)


def test_no_more_images_are_in_memory_than_promised(source_of, tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "count_cores", lambda: 2)
    started, ahead, taken = [], [], 0
    source = source_of([Image.new("L", (2, 2))] * 400)
    load = source.load
    object.__setattr__(source, "load", lambda i: started.append(i) or load(i))
    for _ in threads.map_all(source, partial(decode_image, settings=NATIVE), "decode"):
        taken += 1
        ahead.append(len(started) - taken)
    assert taken == 400
    assert max(ahead) <= (threads.AHEAD * 2 + 1) * threads.BATCH


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="not on this system")
def test_only_cores_that_the_process_may_use_decode():
    """A job on a cluster has some cores of a machine, and memory for images in flight on these."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        names = {name for _, name in threads.map_ahead(name_of_thread, range(200))}
    finally:
        os.sched_setaffinity(0, cores)
    assert len(names) == 1


def name_of_thread(_: int) -> str:
    time.sleep(0.001)  # so that another thread, if there is one, takes the next task
    return threading.current_thread().name


def test_photos_of_several_frames_count_by_their_first(save, tmp_path):
    root = save("a/1.jpg", "b/1.gif")
    first, second = Image.new("RGB", (6, 5), "white"), Image.new("RGB", (6, 5))
    first.save(root / "b" / "2.jpg", "MPO", save_all=True, append_images=[second])
    assert np.all(
        decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy").pixels[2] == 255
    )


def test_eps_in_disguise_is_not_handed_to_ghostscript(save, tmp_path):
    root = save("a/1.png", "b/1.png")
    Image.new("RGB", (6, 5)).save(root / "b" / "2.jpg", "EPS")
    with pytest.raises(InputError, match=r"b/2.jpg is empty or not an image"):
        decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy")


def test_decoders_say_nothing_and_warnings_are_left_as_they_were(save, tmp_path, caplog):
    root = save("a/1.tif", "b/1.tif")
    nine = np.zeros((4, 4, 9), dtype=np.uint8)
    tifffile.imwrite(root / "a/1.tif", nine, photometric="minisblack", planarconfig="contig")
    before = list(warnings.filters)
    with pytest.raises(InputError, match=r"a/1.tif has 9 bands; expected at most 8"):
        decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy")
    assert warnings.filters == before
    assert not caplog.records


def test_scale_by_the_data_maps_the_range_of_all_images(source_of, tmp_path):
    images = [Image.fromarray(np.uint16([[low, low + 500]])) for low in (1000, 1500, 3000)]
    settings = PixelSettings(scale="data")
    decoded = decode_images(source_of(images), settings, tmp_path / "x.npy")
    assert decoded.facts.scale == [1000, 3500]
    assert decoded.pixels[:, 0, :, 0].tolist() == [[0, 51], [51, 102], [204, 255]]
    eight = source_of([Image.new("L", (2, 2), value) for value in (3, 9)])
    decoded = decode_images(eight, settings, tmp_path / "x.npy")
    assert decoded.facts.scale is None
    assert decoded.pixels[:, 0, 0, 0].tolist() == [3, 9]
    with pytest.raises(InputError, match=r"prepare.scale is data, but all values .* are 7"):
        decode_images(source_of([Image.new("I;16", (2, 2), 7)]), settings, tmp_path / "x.npy")


def test_files_with_further_pages_are_counted(save, tmp_path):
    root = save("a/1.gif", "a/2.png", "b/1.tif")
    first, second = (Image.new("RGB", (6, 5), colour) for colour in ("white", "black"))
    for name in ("a/1.gif", "b/1.tif"):
        first.save(root / name, save_all=True, append_images=[second])
    decoded = decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy")
    assert decoded.facts.n_multipage == 2
    assert np.all(decoded.pixels[[0, 2]] == 255)
