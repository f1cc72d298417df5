"""An https server on this machine."""

import http.server
import ssl
import threading
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import NamedTuple

import trustme


class Page(NamedTuple):
    content: bytes | Iterable[bytes]
    status: int
    headers: dict[str, str]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        page = self.answer()
        with suppress(ConnectionError, ssl.SSLError):  # the client has given up
            for chunk in [page.content] if isinstance(page.content, bytes) else page.content:
                self.wfile.write(chunk)

    def answer(self):
        page = self.server.pages.get(self.path, Page(b"not here", 404, {"Content-Length": "8"}))
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        return page

    def log_message(self, *_):
        pass


@contextmanager
def serve(folder, monkeypatch):
    """Serve pages, trusted here and now; torch's cache is below the folder.

    Yields:
        `put`, which returns the address of a page that it adds, `pages`, and `kept`, where
        downloads are kept.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    monkeypatch.setenv("NO_PROXY", "localhost")
    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.pages = {}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def put(name, content, status=200, length=None, **headers):
        if length is None and isinstance(content, bytes):
            length = len(content)
        if length is not None:
            headers["Content-Length"] = str(length)
        server.pages[f"/{name}"] = Page(content, status, headers)
        return f"https://localhost:{server.server_port}/{name}"

    kept = folder / "torch" / "hub" / "checkpoints"
    try:
        yield SimpleNamespace(put=put, pages=server.pages, kept=kept)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
