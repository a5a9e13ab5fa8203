"""A real S3 server for tests, on loopback: moto in a thread. One server per session, one bucket per test."""

import itertools
import logging
import os
from urllib.parse import quote

from moto.server import ThreadedMotoServer

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class S3:
    """A running server. Addresses are values for the setting `blobs_url`."""

    def __init__(self) -> None:
        os.environ.update(CREDENTIALS)  # where the product expects them
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        self._numbers = itertools.count(1)

    def bucket(self) -> str:
        """The address of a new bucket."""
        import httpx

        name = f"vitrine-{next(self._numbers)}"
        httpx.put(f"{self.endpoint}/{name}", timeout=10).raise_for_status()
        return f"s3://{name}/documents?endpoint={quote(self.endpoint, safe='')}&region={REGION}&allow_http=true"

    def close(self) -> None:
        self._server.stop()
