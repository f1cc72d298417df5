import io
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data import decode as decode_module
from foldwise.data.decode import _decode_all, decode_images
from foldwise.data.sources import FORMATS, open_folder


def encoded(form):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


SAMPLES = [encoded(form) for form in FORMATS]


def test_images_come_in_the_order_of_the_source(source_of, tmp_path):
    images = [Image.new("RGB", (3, 2), (i % 256, i // 256, 0)) for i in range(300)]
    decoded = decode_images(source_of(images), None, tmp_path / "x.npy")
    assert np.array_equal(decoded.pixels, np.stack([np.asarray(image) for image in images]))


def test_number_of_threads_changes_no_byte(save, tmp_path, monkeypatch):
    source = open_folder(str(save(*(f"{c}/{i}.jpg" for c in "ab" for i in range(40)))))
    files = []
    for n_threads in (1, 2, 7):
        monkeypatch.setattr(decode_module.os, "cpu_count", lambda n=n_threads: n)
        decode_images(source, 4, tmp_path / f"{n_threads}.npy")
        files.append((tmp_path / f"{n_threads}.npy").read_bytes())
    assert files[0] == files[1] == files[2]


def test_equal_content_is_equal_pixels(source_of, tmp_path):
    black, white = Image.new("L", (2, 2)), Image.new("RGB", (2, 2), "white")
    source = source_of([white, black, black.convert("RGB"), white])
    assert decode_images(source, None, tmp_path / "x.npy").content_ids.tolist() == [0, 1, 1, 0]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_content_is_numbered_in_order_of_first_appearance(source_of, tmp_path_factory, values):
    path = tmp_path_factory.mktemp("content") / "x.npy"
    images = [Image.new("L", (2, 2), value) for value in values]
    content = decode_images(source_of(images), None, path).content_ids
    seen = list(dict.fromkeys(values))
    assert content.tolist() == [seen.index(value) for value in values]


def test_all_grey_only_if_every_image_is(source_of, tmp_path):
    grey, colour = Image.new("L", (2, 2)), Image.new("RGB", (2, 2))
    assert decode_images(source_of([grey, grey]), None, tmp_path / "x.npy").is_grey
    assert not decode_images(source_of([grey, colour]), None, tmp_path / "x.npy").is_grey
    assert not decode_images(source_of([colour, grey]), None, tmp_path / "x.npy").is_grey


def test_no_more_images_are_in_memory_than_promised(source_of, tmp_path, monkeypatch):
    monkeypatch.setattr(decode_module.os, "cpu_count", lambda: 2)
    started, ahead, taken = [], [], 0
    source = source_of([Image.new("L", (2, 2))] * 400)
    load = source.load
    object.__setattr__(source, "load", lambda i: started.append(i) or load(i))
    for _ in _decode_all(source, None):
        taken += 1
        ahead.append(len(started) - taken)
    assert taken == 400
    assert max(ahead) <= (decode_module.AHEAD * 2 + 1) * decode_module.BATCH


def test_every_unreadable_image_is_listed(save, tmp_path):
    root = save("a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/deep.png", "b/5.jpg")
    (root / "a/1.png").write_bytes(b"")
    (root / "a/3.png").write_bytes(b"no image")
    (root / "b/1.png").write_bytes((root / "b/1.png").read_bytes()[:-60])
    Image.new("I;16", (6, 5)).save(root / "b/deep.png")
    source = open_folder(str(root))
    (root / "b/5.jpg").unlink()  # after it was listed
    with pytest.raises(InputError) as caught:
        decode_images(source, None, tmp_path / "x.npy")
    first, second, third, fourth, fifth = str(caught.value).splitlines()
    for name, line in (("a/1.png", first), ("a/3.png", second)):
        assert line.startswith(f"{root}/{name} is empty or not an image")
        assert line.endswith("; replace or remove it")
    assert third.startswith(f"{root}/b/1.png cannot be decoded (")
    assert third.endswith("; replace or remove it")
    assert "b/5.jpg cannot be decoded ([Errno 2] No such file" in fourth
    assert fifth.startswith(f"{root}/b/deep.png has over 8 bits per channel (mode I;16); convert")


def test_images_of_different_sizes_are_named(save, tmp_path):
    root = save("a/1.png", "a/2.png", size=(6, 5))
    save("b/1.png", size=(7, 5))
    source = open_folder(str(root))
    expected = "a/1.png is 6×5 and b/1.png 7×5 pixels; set prepare.image_size to a number"
    with pytest.raises(InputError, match=expected):
        decode_images(source, None, tmp_path / "x.npy")
    assert decode_images(source, 4, tmp_path / "x.npy").pixels.shape == (3, 4, 4, 3)


def test_decompression_bombs_are_listed(save, tmp_path):
    root = save("a/1.png", "b/1.png")
    Image.new("1", (10_000, 9_000)).save(root / "a" / "large.png")
    Image.new("1", (20_000, 9_000)).save(root / "b" / "larger.png")
    with pytest.raises(InputError) as caught:
        decode_images(open_folder(str(root)), 4, tmp_path / "x.npy")
    large, larger = str(caught.value).splitlines()
    assert "a/large.png is 10000×9000 pixels, over 89,478,485; make it smaller" in large
    assert "b/larger.png cannot be decoded (Image size (180000000 pixels) exceeds" in larger


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0.3, 1),
)
def test_broken_files_never_crash(tmp_path_factory, content, mutations, kept):
    broken = bytearray(content)
    for place, value in mutations:
        broken[int(place * len(broken))] = value
    root = tmp_path_factory.mktemp("broken")
    for name in "ab":
        (root / name).mkdir()
        (root / name / "1.png").write_bytes(broken[: int(kept * len(broken))])
    problems = [r for r in _decode_all(open_folder(str(root)), 4) if isinstance(r, str)]
    assert len(problems) in (0, 2)
    assert all(len(problem.splitlines()) == 1 for problem in problems)


def test_photos_of_several_frames_count_by_their_first(save, tmp_path):
    root = save("a/1.jpg", "b/1.gif")
    first, second = Image.new("RGB", (6, 5), "white"), Image.new("RGB", (6, 5))
    first.save(root / "b" / "2.jpg", "MPO", save_all=True, append_images=[second])
    assert np.all(decode_images(open_folder(str(root)), None, tmp_path / "x.npy").pixels[2] == 255)


def test_eps_in_disguise_is_not_handed_to_ghostscript(save, tmp_path):
    root = save("a/1.png", "b/1.png")
    Image.new("RGB", (6, 5)).save(root / "b" / "2.jpg", "EPS")
    with pytest.raises(InputError, match=r"b/2.jpg is empty or not an image"):
        decode_images(open_folder(str(root)), None, tmp_path / "x.npy")


def test_warning_filters_are_left_as_they_were(source_of, tmp_path):
    before = list(warnings.filters)
    decode_images(source_of([Image.new("L", (2, 2))] * 3), None, tmp_path / "x.npy")
    assert warnings.filters == before
