"""Read a file, or download it over https, with limits of size and time."""

import http.client
import io
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from foldwise.core.limits import TimeLimitError, read_limited, time_limit
from foldwise.files.layers import HTTPS
from foldwise.nets.weights.checkpoint import WeightsError

TIMEOUT = 30.0  # seconds without a byte from the server
ANSWER_TIMEOUT = 5.0  # seconds, where only an answer is wanted
DEADLINE = 3600.0  # seconds for a whole download: 1.2 MB/s for the largest file
MAX_BYTES = 2**32  # of a file; the largest of torchvision has 2.5 GB
CHUNK = 2**20  # bytes


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follow redirects to https; urllib also follows those to http and ftp."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:  # noqa: ANN401
        """Return the request for the new address, the last of urllib's six arguments."""
        request, response, code, _, headers, url = args
        if not url.startswith(HTTPS):
            reason = f"it redirects to {url}, which is not {HTTPS}"
            raise urllib.error.HTTPError(request.full_url, code, reason, headers, response)
        return super().redirect_request(*args)


def download(url: str) -> bytes:
    """Return the file at an address.

    Raises:
        WeightsError: If it cannot be reached, is too large or too slow, or redirects to another
            protocol than https.
    """
    try:
        with time_limit(DEADLINE), _open(url, "GET", TIMEOUT) as response:
            return _read_response(response)
    except (OSError, ValueError, http.client.HTTPException, TimeLimitError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the open response, too
        raise unreachable(url, error) from None


def require_reachable(url: str) -> None:
    """Raise WeightsError unless the server of an address answers for it within seconds."""
    try:
        _open(url, "HEAD", ANSWER_TIMEOUT).close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is the open response, too
        raise unreachable(url, error) from None


def _open(url: str, method: str, timeout: float) -> http.client.HTTPResponse:
    """Return the response to a request, without its body."""
    request = urllib.request.Request(url, headers={"User-Agent": "foldwise"}, method=method)
    https = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(https, _HttpsOnly)
    response: http.client.HTTPResponse = opener.open(request, timeout=timeout)
    return response


def _read_response(response: http.client.HTTPResponse) -> bytes:
    """Return the body; an announced length that is too large is refused before any of it."""
    content = io.BytesIO()
    while True:
        if content.tell() + (response.length or 0) > MAX_BYTES:
            raise ValueError(f"over {MAX_BYTES:,} bytes")
        chunk = response.read(CHUNK)
        if not chunk:
            break
        content.write(chunk)
    if response.length:  # read does not raise this if it is given a size
        raise http.client.IncompleteRead(content.getvalue(), response.length)
    return content.getvalue()


def unreachable(location: str, error: Exception) -> WeightsError:
    """Return the error for a download that has failed."""
    if isinstance(error, TimeLimitError):
        text = f"not complete after {DEADLINE:g} seconds"
    else:
        text = str(error).removeprefix("<urlopen error ").removesuffix(">")
    reason = "".join(filter(str.isprintable, " ".join(text.split())))[:200] or type(error).__name__
    return WeightsError(
        f"the download from {location} failed ({reason}); check the network and the address, or "
        "give a file"
    )


def read_file(path: Path, remedy: str) -> bytes:
    """Return the content of a file.

    Raises:
        WeightsError: If it cannot be read or is too large; `remedy` says what to do.
    """
    try:
        return read_limited(path, MAX_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WeightsError(f"{path} cannot be read ({reason}); {remedy}") from None
