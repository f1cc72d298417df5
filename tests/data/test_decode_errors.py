"""Images that cannot be read are listed, and failures of the system are none of theirs."""

import errno
import gc
import io
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
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
