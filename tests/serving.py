"""A server in this process, for tests: the real one over a real socket, on nano."""

import threading
from contextlib import contextmanager

import uvicorn

from parlure.shipping.server.app import create_app
from parlure.shipping.server.serving import listening


@contextmanager
def running(models, log, **settings):
    """The server's address; it is stopped at the end."""
    app = create_app(models, log=log, **settings)
    with listening("127.0.0.1", 0) as sock:
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="websockets-sansio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
