import socket
import time

import pytest
from safetensors.torch import save
from sourcing import PAGE, STATE, assert_same, rejection, saved, sha256, source_of

from foldwise.nets.weights import download
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.download import require_reachable
from foldwise.nets.weights.sources import open_checkpoint, require_published


@pytest.mark.parametrize(
    ("name", "content"), [("w.pth", saved(STATE)), ("w.safetensors", save(STATE))]
)
def test_address_is_downloaded_once(site, name, content):
    source = source_of(site.put(name, content), content)
    for _ in range(2):
        checkpoint = open_checkpoint(source, "resnet18")
        assert_same(checkpoint.states[""])
        assert checkpoint.title == source.weights
        site.pages.clear()
    assert [path.name for path in site.kept.iterdir()] == [f"{sha256(content)}.{name[2:]}"]


def test_address_without_a_file_behind_it(site):
    source = source_of(f"{site.put('', b'')}gone.pt", b"")
    message = rejection(open_checkpoint, source, "resnet18")
    assert "gone.pt failed (HTTP Error 404: Not Found); check the network" in message


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (PAGE, "and download the file itself"),
        (save(STATE), "; download it again, or correct the address or weights_sha256"),
    ],
)
def test_download_of_another_hash_is_refused_and_not_kept(site, content, remedy):
    source = source_of(site.put("w.safetensors", content), b"what was promised")
    message = rejection(open_checkpoint, source, "resnet18")
    assert f"SHA-256 is {sha256(content)}; expected {source.weights_sha256}" in message
    assert message.endswith(remedy)
    assert not site.kept.exists()


def test_download_that_breaks_off_is_refused(site):
    content = save(STATE)
    source = source_of(site.put("w.safetensors", content[:20], length=len(content)), content)
    message = rejection(open_checkpoint, source, "resnet18")
    assert "https://localhost:" in message
    assert "IncompleteRead(20 bytes read, " in message


def test_server_without_a_certificate_is_refused(site, monkeypatch):
    content = save(STATE)
    source = source_of(site.put("w.safetensors", content), content)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate verify failed" in rejection(open_checkpoint, source, "resnet18")


def test_no_network(site):
    source = source_of("https://localhost:9/w.pt", b"")  # the discard port
    assert "([Errno 111] Connection refused); " in rejection(open_checkpoint, source, "resnet18")


def test_server_that_never_answers_is_given_up(site, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    with socket.create_server(("localhost", 0)) as silent:
        source = source_of(f"https://localhost:{silent.getsockname()[1]}/w.pt", b"")
        assert "timed out" in rejection(open_checkpoint, source, "resnet18")


@pytest.mark.parametrize("place", ["http://localhost/w.pt", "ftp://localhost/w.pt"])
def test_redirect_to_anything_but_https_is_refused(site, place):
    source = source_of(site.put("w.pt", b"", 302, Location=place), b"")
    message = rejection(open_checkpoint, source, "resnet18")
    assert f"it redirects to {place}, which is not https://); check" in message


def test_redirect_to_https_is_followed(site):
    content = save(STATE)
    place = site.put("new.safetensors", content)
    source = source_of(site.put("w.safetensors", b"", 302, Location=place), content)
    assert_same(open_checkpoint(source, "resnet18").states[""])


def test_redirects_in_a_circle_are_refused(site):
    url = site.put("w.pt", b"")
    source = source_of(site.put("w.pt", b"", 302, Location=url), b"")
    assert "infinite loop" in rejection(open_checkpoint, source, "resnet18")


def slowly(chunk, n):
    """Yield a chunk again and again; after n times the test has failed, but ends."""
    for _ in range(n):
        time.sleep(0.05)
        yield chunk


def test_server_that_trickles_is_given_up(site, monkeypatch):
    monkeypatch.setattr(download, "DEADLINE", 0.3)
    source = source_of(site.put("w.pt", slowly(b"x", 60), length=60), b"")
    message = rejection(open_checkpoint, source, "resnet18")
    assert "w.pt failed (not complete after 0.3 seconds); check" in message


@pytest.mark.parametrize("length", [None, 10**12])
def test_download_that_is_too_large_is_given_up(site, monkeypatch, length):
    """Whether the server announces it or not."""
    monkeypatch.setattr(download, "MAX_BYTES", 3 * 2**20)
    source = source_of(site.put("w.pt", (bytes(2**20) for _ in range(100)), length=length), b"")
    message = rejection(open_checkpoint, source, "resnet18")
    assert "w.pt failed (over 3,145,728 bytes); check" in message
    assert not site.kept.exists()


def test_damaged_file_in_the_cache_is_named(site):
    content = save(STATE)
    source = source_of(site.put("w.safetensors", content), content)
    open_checkpoint(source, "resnet18")
    (kept,) = site.kept.iterdir()
    kept.write_bytes(content[:-1])
    assert f"; delete the earlier download {kept}" in rejection(open_checkpoint, source, "resnet18")


def test_cache_that_cannot_be_written(site):
    content = save(STATE)
    site.kept.parent.parent.write_bytes(b"a file where the folder should be")
    source = source_of(site.put("w.safetensors", content), content)
    message = rejection(open_checkpoint, source, "resnet18")
    assert f"{site.kept} cannot be written (Not a directory); set TORCH_HOME" in message


def test_published_weights_are_had_if_they_are_kept_or_their_server_answers(tmp_path, monkeypatch):
    """The proxy stands for a machine without network: nobody listens on that port."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://localhost:1")
    with pytest.raises(WeightsError, match=r"resnet18-f37072fd.pth failed .*; check the network"):
        require_published("resnet18", "IMAGENET1K_V1")
    kept = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    kept.parent.mkdir(parents=True)
    kept.touch()
    require_published("resnet18", "IMAGENET1K_V1")


def test_a_server_answers_for_the_addresses_that_it_has(site):
    require_reachable(site.put("w.pth", b"weights"))
    with pytest.raises(WeightsError, match="404"):
        require_reachable(site.put("w.pth", b"weights").replace("w.pth", "gone.pth"))
