import socket

import pytest
from safetensors.torch import save
from sourcing import KEY, PAGE, STATE, assert_same, origin_of, refusal, saved, sha256

from foldwise.nets.weights import download
from foldwise.nets.weights.sources import open_weights


@pytest.mark.parametrize(
    ("name", "content"), [("w.pth", saved(STATE)), ("w.safetensors", save(STATE))]
)
def test_address_is_downloaded_once(site, name, content):
    origin = origin_of(site.put(name, content), content)
    for _ in range(2):
        source = open_weights(origin, "resnet18", KEY)
        assert_same(source.state)
        assert source.title == origin.weights
        site.pages.clear()
    assert [path.name for path in site.kept.iterdir()] == [f"{sha256(content)}.{name[2:]}"]


def test_address_without_a_file_behind_it(site):
    origin = origin_of(f"{site.put('', b'')}gone.pt", b"")
    message = refusal(open_weights, origin, "resnet18", KEY)
    assert "gone.pt (HTTP Error 404: Not Found); check the network and the address, " in message


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (PAGE, "; an HTML page came, no weights: see what a browser shows there"),
        (save(STATE), "; download it again, or correct the address"),
    ],
)
def test_download_of_another_hash_is_refused_and_not_kept(site, content, remedy):
    origin = origin_of(site.put("w.safetensors", content), b"what was promised")
    message = refusal(open_weights, origin, "resnet18", KEY)
    assert f"whose SHA-256 is {sha256(content)}, but {KEY}_sha256 is " in message
    assert message.endswith(origin.weights_sha256 + remedy)
    assert not site.kept.exists()


def test_download_that_breaks_off_is_refused(site):
    content = save(STATE)
    origin = origin_of(site.put("w.safetensors", content[:20], length=len(content)), content)
    message = refusal(open_weights, origin, "resnet18", KEY)
    assert "could not be downloaded from https://localhost:" in message
    assert "IncompleteRead(20 bytes read, " in message


def test_server_without_a_certificate_is_refused(site, monkeypatch):
    content = save(STATE)
    origin = origin_of(site.put("w.safetensors", content), content)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate verify failed" in refusal(open_weights, origin, "resnet18", KEY)


def test_no_network(site):
    origin = origin_of("https://localhost:9/w.pt", b"")  # the discard port
    assert "([Errno 111] Connection refused); " in refusal(open_weights, origin, "resnet18", KEY)


def test_server_that_never_answers_is_given_up(site, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.1)
    with socket.create_server(("localhost", 0)) as silent:
        origin = origin_of(f"https://localhost:{silent.getsockname()[1]}/w.pt", b"")
        assert "timed out" in refusal(open_weights, origin, "resnet18", KEY)


def test_damaged_file_in_the_cache_is_named(site):
    content = save(STATE)
    origin = origin_of(site.put("w.safetensors", content), content)
    open_weights(origin, "resnet18", KEY)
    (kept,) = site.kept.iterdir()
    kept.write_bytes(content[:-1])
    assert f"; delete {kept}, where " in refusal(open_weights, origin, "resnet18", KEY)


def test_cache_that_cannot_be_written(site):
    content = save(STATE)
    site.kept.parent.parent.write_bytes(b"a file where the folder should be")
    origin = origin_of(site.put("w.safetensors", content), content)
    message = refusal(open_weights, origin, "resnet18", KEY)
    assert f"cannot be kept in {site.kept} (Not a directory); set TORCH_HOME" in message
