"""Tell what a file is that holds no tensors of PyTorch, and what to do with it."""

import io
import re
import zipfile

CONVERT = "convert it to a state_dict of PyTorch"
UNPACK = "unpack it and give the file with the weights"
HTML = ("an HTML page", "open the address in a browser, and download the file itself")
HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")
SIGNATURES = (  # offset, bytes, what it is, remedy
    (0, b"version https://git-lfs", "a Git LFS pointer", "run 'git lfs pull'"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it", CONVERT),
    (0, b"\x93NUMPY", "a NumPy array", CONVERT),
    (0, b"GGUF", "a GGUF file", CONVERT),
    (4, b"TFL3", "a TensorFlow Lite model", CONVERT),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"\x1f\x8b", "compressed with gzip", UNPACK),
    (0, b"BZh", "compressed with bzip2", UNPACK),
    (0, b"\xfd7zXZ", "compressed with xz", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK),
    (0, b"{", "a text in JSON", "give the file with the weights that belongs to it"),
)
# Version of the format, then a text (the producer) or a graph, as protobuf writes them.
ONNX = re.compile(rb"\x08[\x01-\x1f](\x12[\x01-\x40][\x20-\x7e]|:)", re.DOTALL)
MEMBERS = (  # pattern of a name in a zip archive, what the archive is, remedy
    (
        r"(.*/)?constants\.pkl",
        "a TorchScript program",
        "save its state_dict: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')",
    ),
    (
        r"(.*/)?(models/.*\.json|serialized_exported_program\.json)",
        "a program of torch.export",
        "save its state_dict: torch.save(torch.export.load(FILE).state_dict, 'weights.pt')",
    ),
    (r".*\.npy", "an archive of NumPy arrays", CONVERT),
    (r".*\.weights\.h5", "a Keras model", CONVERT),
)
ZIP_START = b"PK\x03\x04"  # also of torch's own format


def is_safetensors(content: bytes) -> bool:
    """Return whether a file has the form of safetensors: the length of a header, and JSON."""
    return content[4:9] == b"\0\0\0\0{"


def is_html(content: bytes) -> bool:
    """Return whether a file is an HTML page, as a server sends it instead of a missing file."""
    return content[:200].lstrip().lower().startswith(HTML_STARTS)


def describe_format(content: bytes) -> tuple[str, str] | None:
    """Return what a file is, and the remedy; None if it may be one of PyTorch's, or is unknown."""
    if is_html(content):
        return HTML
    for offset, start, kind, remedy in SIGNATURES:
        if content.startswith(start, offset):
            return kind, remedy
    if ONNX.match(content):
        return "an ONNX model", CONVERT
    return _describe_archive(content) if content.startswith(ZIP_START) else None


def _describe_archive(content: bytes) -> tuple[str, str] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            names = file.namelist()
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        return None
    for pattern, kind, remedy in MEMBERS:
        if any(re.fullmatch(pattern, name) for name in names):
            return kind, remedy
    if not any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "a zip archive", UNPACK
    return None
