import io

import numpy as np
import pytest
from PIL import Image

from foldwise.core.errors import InputError
from foldwise.data.class_folders import open_folder
from foldwise.data.decode import decode_images
from foldwise.data.pixels import PixelSettings

SMALL = PixelSettings(size=(8, 8))
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
JXL = b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a".ljust(20)
DICOM = bytes(128) + b"DICM"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def encoded(kind, mode="RGB"):
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Write files into class a, and an image into class b; return the source."""

    def folder(files):
        for name, content in ({"b/1.png": encoded("PNG")} | files).items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return open_folder(str(tmp_path))

    return folder


READ = {  # name -> format
    **dict.fromkeys(("jpg", "JPEG", "jpe", "jfif", "mpo", "jpg.1", "JPG_backup", ""), "JPEG"),
    **dict.fromkeys(("Png", "apng", "dat"), "PNG"),
    **{"bmp": "BMP", "dib": "DIB", "gif": "GIF", "webp": "WEBP", "TIFF": "TIFF", "tif~": "TIFF"},
    **{
        "pnm": "PPM",
        "ppm": "PPM",
        "tga": "TGA",
        "avif": "AVIF",
        "jp2": "JPEG2000",
        "j2k": "JPEG2000",
    },
    **{"pcx": "PCX", "sgi": "SGI", "rgb": "SGI", "qoi": "QOI", "avifx": "AVIF"},
}


def test_images_are_found_by_their_content_and_decoded(folder, tmp_path):
    files = {
        f"a/{i:02d}.{e}".rstrip("."): encoded(kind) for i, (e, kind) in enumerate(READ.items())
    }
    files |= {"a/90.pbm": encoded("PPM", "1"), "a/91.pgm": encoded("PPM", "L")}
    source = folder(files)
    assert source.files == [*files, "b/1.png"]
    assert source.notes == ()
    decoded = decode_images(source, SMALL, tmp_path / "decoded.npy")
    last = decoded.pixels[-1].astype(int)
    for file, pixels in zip(source.files, decoded.pixels, strict=True):
        limit = 255 if file in ("a/90.pbm", "a/91.pgm") else 90 if "gif" in file else 45
        assert np.abs(pixels - last).max() < limit, file


def test_other_files_are_counted_by_ending(folder):
    texts = ["a/Python.py", "a/P5.txt", "a/notes.txt", "a/labels", "a/icon.svg"]
    source = folder({"a/1.png": encoded("PNG")} | dict.fromkeys(texts, b"Python P1 GIF\n"))
    assert source.files == ["a/1.png", "b/1.png"]
    assert source.notes == ("5 other files (2 .txt, 1 .py, 1 .svg, 1 without ending)",)


def test_a_format_that_runs_a_program_is_never_opened(folder, tmp_path):
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    source = folder({"a/1.png": encoded("PNG"), "a/2.jpg": eps, "a/3.eps": eps, "a/4": eps})
    assert source.files == ["a/1.png", "a/2.jpg", "b/1.png"]
    with pytest.raises(InputError, match=r"a/2.jpg is empty or not an image of a known format"):
        decode_images(source, SMALL, tmp_path / "decoded.npy")


@pytest.mark.parametrize(
    ("content", "name"),
    [(HEIC, "HEIC"), (JXL, "JPEG XL"), (b"\xff\x0a".ljust(20), "JPEG XL"), (DICOM, "DICOM")],
)
def test_images_that_cannot_be_read_are_named_whatever_their_ending(
    folder, tmp_path, content, name
):
    names = ["a/2", "a/2.dat", "a/2.jpg", *(f"a/{index}.png" for index in range(3, 40))]
    source = folder({"a/1.png": encoded("PNG")} | dict.fromkeys(names, content))
    with pytest.raises(InputError, match=rf"a/10.png is a {name} image.*39 more files") as caught:
        decode_images(source, SMALL, tmp_path / "decoded.npy")
    assert "; convert it to PNG or JPEG" in str(caught.value)
    assert "\n" not in str(caught.value)
    decoded = decode_images(source, SMALL, tmp_path / "decoded.npy", skip=True)
    assert len(decoded.pixels) == 2


@pytest.mark.parametrize("ending", ["heic", "HEIF", "jxl", "dcm", "cr2", "NEF"])
def test_images_that_cannot_be_read_are_named_by_their_ending(folder, tmp_path, ending):
    content = encoded("TIFF") if ending in ("cr2", "NEF") else b""
    source = folder({f"a/1.{ending}": content})
    with pytest.raises(InputError, match=rf"a/1.{ending} is a .*; convert it to PNG or JPEG"):
        decode_images(source, SMALL, tmp_path / "decoded.npy")


def test_git_lfs_pointers_are_one_line_with_the_remedy(folder, tmp_path):
    source = folder({f"a/{index}.jpg": LFS for index in range(600)} | {"a/x.csv": LFS})
    with pytest.raises(InputError, match=r"a/0.jpg is a Git LFS pointer.*'git lfs pull'") as caught:
        decode_images(source, SMALL, tmp_path / "decoded.npy")
    assert "599 more files" in str(caught.value)
    assert "\n" not in str(caught.value)
