import errno
import gc
import io
import os
import threading
import time
import tracemalloc
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from foldwise.core.errors import REMEDIES, InputError
from foldwise.data import threads
from foldwise.data.class_folders import open_folder
from foldwise.data.decode import decode_images
from foldwise.data.image_formats import FORMATS, is_image
from foldwise.data.pixels import PixelSettings, decode_image

NATIVE = PixelSettings()
SMALL = PixelSettings((4, 4))


def encoded(form):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def encoded_tiff(n_bands, dtype):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, n_bands)).astype(dtype)
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric="minisblack", planarconfig="contig")
    return file.getvalue()


SAMPLES = [*map(encoded, FORMATS), encoded_tiff(5, np.uint8), encoded_tiff(3, np.uint16)]


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


def test_errors_keep_no_pixels_in_memory():
    def read(number):
        pixels = np.zeros(2**20, dtype=np.uint8)
        raise InputError(f"{number}: {len(pixels)} bytes")

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        errors = [str(error) for _, error in threads.map_ahead(read, range(100))]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert errors[99] == f"99: {2**20} bytes"
    assert peak < 20 * 2**20


def test_every_unreadable_image_is_listed(save, tmp_path):
    root = save("a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/deep.png", "b/5.jpg")
    (root / "a/1.png").write_bytes(b"")
    (root / "a/3.png").write_bytes(b"no image")
    (root / "b/1.png").write_bytes((root / "b/1.png").read_bytes()[:-60])
    Image.new("I;16", (6, 5)).save(root / "b/deep.png")
    source = open_folder(str(root))
    (root / "b/5.jpg").unlink()  # after it was listed
    with pytest.raises(InputError) as caught:
        decode_images(source, NATIVE, tmp_path / "x.npy")
    first, second, third, fourth, fifth = str(caught.value).splitlines()
    for name, line in (("a/1.png", first), ("a/3.png", second)):
        assert line.startswith(f"{root}/{name} is empty or not an image")
        assert line.endswith("; replace or remove it")
    assert third.startswith(f"{root}/b/1.png cannot be decoded (")
    assert third.endswith("; replace or remove it")
    assert "b/5.jpg cannot be decoded (No such file" in fourth
    assert fifth.startswith(f"{root}/b/deep.png has 16 bits per channel; set prepare.scale to")


def test_images_of_different_sizes_are_named(save, tmp_path):
    root = save("a/1.png", "a/2.png", size=(6, 5))
    save("b/1.png", size=(7, 5))
    source = open_folder(str(root))
    expected = "a/1.png is 6×5 and b/1.png 7×5 pixels; set prepare.image_size to a number"
    with pytest.raises(InputError, match=expected):
        decode_images(source, NATIVE, tmp_path / "x.npy")
    assert decode_images(source, SMALL, tmp_path / "x.npy").pixels.shape == (3, 4, 4, 3)


def test_decompression_bombs_are_listed(save, tmp_path):
    root = save("a/1.png", "b/1.png")
    Image.new("1", (10_000, 9_000)).save(root / "a" / "large.png")
    Image.new("1", (20_000, 9_000)).save(root / "b" / "larger.png")
    with pytest.raises(InputError) as caught:
        decode_images(open_folder(str(root)), SMALL, tmp_path / "x.npy")
    large, larger = str(caught.value).splitlines()
    assert "a/large.png is 10000×9000 pixels, over 89,478,485; make it smaller" in large
    assert "b/larger.png cannot be decoded (Image size (180000000 pixels) exceeds" in larger


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0.3, 1),
)
def test_broken_files_never_crash(tmp_path_factory, content, mutations, kept):
    broken = bytearray(content)
    for place, value in mutations:
        broken[int(place * len(broken))] = value
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(broken[: int(kept * len(broken))])
    message = ""
    try:
        decode_image(path, PixelSettings((4, 4), scale=(0, 65_535)))
    except InputError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1


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


def test_reason_that_many_files_share_is_one_line(save, tmp_path):
    root = save(*(f"{c}/{i:02d}.png" for c in "ab" for i in range(30)))
    for path in root.glob("a/*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"^\S+/a/00.png is empty or .*29 more.*01.png") as caught:
        decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy")
    assert len(str(caught.value).splitlines()) == 1


def test_unreadable_images_are_skipped_and_listed(save, tmp_path):
    root = save(*(f"{c}/{i}.png" for c in "ab" for i in range(4)))
    source = open_folder(str(root))
    (root / "a/0.png").write_bytes(b"")
    (root / "b/2.png").unlink()
    decoded = decode_images(source, NATIVE, tmp_path / "x.npy", skip=True)
    assert decoded.kept.tolist() == [1, 2, 3, 4, 5, 7]
    assert list(decoded.unreadable) == ["a/0.png", "b/2.png"]
    assert "No such file" in decoded.unreadable["b/2.png"]
    assert decoded.facts.n_unreadable == 2
    kept = [source.files[position] for position in decoded.kept]
    originals = [np.asarray(Image.open(root / file)) for file in kept]
    assert np.array_equal(decoded.pixels, originals)


def test_class_that_loses_all_images_is_an_error(save, tmp_path):
    root = save(*(f"{c}/{i}.png" for c in "ab" for i in range(3)))
    for path in root.glob("b/*.png"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"b/0.png is empty[^$]*prepare.unreadable .* classes b;"):
        decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy", skip=True)


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


@pytest.mark.parametrize(
    ("other", "layout"),
    [
        (np.zeros((2, 2), dtype=np.uint8), "grey of 8 bits"),
        (np.zeros((2, 2, 5), dtype=np.uint16), "5 bands of over 8 bits"),
    ],
)
def test_images_of_different_depth_or_bands_are_an_error(other, layout, save, tmp_path):
    root = save("a/1.tif", "b/1.tif")
    options = {"photometric": "minisblack", "planarconfig": "contig"} if other.ndim == 3 else {}
    tifffile.imwrite(root / "a/1.tif", np.zeros((2, 2), dtype=np.uint16))
    tifffile.imwrite(root / "b/1.tif", other, **options)
    settings = PixelSettings(scale=(0, 9))
    with pytest.raises(
        InputError, match=f"a/1.tif has .* over 8 bits and b/1.tif .*{layout}; conv"
    ):
        decode_images(open_folder(str(root)), settings, tmp_path / "x.npy")


def test_files_with_further_pages_are_counted(save, tmp_path):
    root = save("a/1.gif", "a/2.png", "b/1.tif")
    first, second = (Image.new("RGB", (6, 5), colour) for colour in ("white", "black"))
    for name in ("a/1.gif", "b/1.tif"):
        first.save(root / name, save_all=True, append_images=[second])
    decoded = decode_images(open_folder(str(root)), NATIVE, tmp_path / "x.npy")
    assert decoded.facts.n_multipage == 2
    assert np.all(decoded.pixels[[0, 2]] == 255)


def test_an_image_that_no_setting_says_how_to_read_is_never_skipped(save, tmp_path):
    root = save("a/1.png", "b/1.png")
    Image.fromarray(np.full((6, 5), 1000, dtype=np.uint16)).save(root / "a" / "2.png")
    source = open_folder(str(root))
    with pytest.raises(InputError, match=r"^\S+a/2.png has 16 bits per channel; set prepare.scale"):
        decode_images(source, NATIVE, tmp_path / "x.npy", skip=True)


FAILURES = [
    MemoryError(),
    OSError("out of memory error when reading image file"),  # Pillow's
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.EIO, "Input/output error"),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_the_system_is_not_an_unreadable_image(source_of, tmp_path, failure):
    def load(_: int) -> Image.Image:
        raise failure

    source = replace(source_of([Image.new("L", (4, 4))] * 2, [0, 1]), load=load)
    with pytest.raises(OSError, match=r"root/0\.png") as caught:
        decode_images(source, NATIVE, tmp_path / "a.npy", skip=True)
    assert caught.value.errno in REMEDIES


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_the_system_leaves_no_image_out(save, monkeypatch, failure):
    path = save("a/1.gif") / "a/1.gif"

    def fail(*_: object, **__: object) -> Image.Image:
        raise failure

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises((OSError, MemoryError)):
        is_image(path.rename(path.with_suffix("")))
