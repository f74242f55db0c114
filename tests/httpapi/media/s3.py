"""An S3 server as a process of its own: moto's."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.request import Request, urlopen
from uuid import uuid4

LISTENING: Final = re.compile(rb"http://127\.0\.0\.1:(\d+)")


class S3:
    """The server. Each test takes a bucket of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.url: Final = f"http://127.0.0.1:{port}"
        self.environment: Final = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        """What a program needs to find it, by the names that all programs for S3 know."""
        self._process = process

    def place(self) -> str:
        """The URL of a folder in a new bucket."""
        bucket = f"music-{uuid4().hex[:12]}"
        with urlopen(Request(f"{self.url}/{bucket}", method="PUT")) as answer:
            assert answer.status == 200
        return f"s3://{bucket}/unisono"

    def keys(self, place: str) -> list[str]:
        """All that is in the bucket, without the name of the folder."""
        bucket, _, folder = place.removeprefix("s3://").partition("/")
        with urlopen(f"{self.url}/{bucket}?list-type=2") as answer:
            return re.findall(f"<Key>{folder}/(.*?)</Key>", answer.read().decode())

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """It takes connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def serving() -> Iterator[S3]:
    """Run one while the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if found := LISTENING.search(line):
                break
        else:
            raise AssertionError(b"".join(said).decode())
        # It logs each request, and would wait for a reader.
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        yield S3(process, int(found[1]))
        process.kill()
        rest.join()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
