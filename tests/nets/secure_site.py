"""An https server on this machine."""

import http.server
import ssl
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import trustme


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, content, length = self.server.pages.get(self.path, (404, b"not here", 8))
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

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

    def put(name, content, status=200, length=None):
        server.pages[f"/{name}"] = status, content, len(content) if length is None else length
        return f"https://localhost:{server.server_port}/{name}"

    kept = folder / "torch" / "hub" / "checkpoints"
    try:
        yield SimpleNamespace(put=put, pages=server.pages, kept=kept)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
