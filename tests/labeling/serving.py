"""A real ``framing label`` as a process, and requests to it as the page sends them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """``framing label``, until it is killed."""

    def __init__(self, *arguments: object, cwd: Path, port: int | None = None, **options: Any) -> None:
        self.port = port or free_port()
        command = [sys.executable, "-m", "classifier", "label", *map(str, arguments), "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
        self.errors = cwd / "stderr.txt"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, **options
            )
        self.addresses: dict[str, str] = {}
        self.connections: list[http.client.HTTPConnection] = []
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.process.stdout.close()
            raise AssertionError(self.errors.read_text())
        self._read(line)

    def _read(self, line: str) -> None:
        coder, _, address = line.strip().partition(": ")
        self.addresses[coder] = address

    def more(self, n: int) -> None:
        """Read the addresses of further coders."""
        assert self.process.stdout is not None
        for _ in range(n):
            self._read(self.process.stdout.readline())

    def token(self, coder: str) -> str:
        return urlsplit(self.addresses[coder]).query.partition("=")[2]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        for connection in self.connections:
            connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def serving(*arguments: object, cwd: Path, coders: int = 1, **options: Any) -> Iterator[Server]:
    server = Server(*arguments, cwd=cwd, **options)
    try:
        server.more(coders - 1)
        yield server
    finally:
        server.stop()


class Client:
    """The page of one coder, without a browser."""

    def __init__(self, server: Server, coder: str) -> None:
        self.port = server.port
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        server.connections.append(self.connection)
        status, headers, _ = self.raw("GET", f"/?token={server.token(coder)}")
        assert status == 303
        self.cookie = headers["set-cookie"].partition(";")[0]

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        given = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        try:
            self.connection.request(method, path, body, given)
            answer = self.connection.getresponse()
            data = answer.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data

    def ask(self, path: str, data: Any = None) -> tuple[int, Any]:
        headers = {"Cookie": self.cookie}
        body = None
        if data is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(data).encode()
        status, _, answer = self.raw("GET" if data is None else "POST", path, body, headers)
        return status, json.loads(answer)

    def get(self, path: str) -> Any:
        status, answer = self.ask(path)
        assert status == 200, answer
        return answer

    def post(self, path: str, data: Any) -> Any:
        status, answer = self.ask(path, data)
        assert status == 200, answer
        return answer


def wait_for(condition: Any, seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)
    return found


def write_articles(folder: Path, articles: Sequence[Sequence[str]]) -> Path:
    folder.mkdir(exist_ok=True)
    for number, sentences in enumerate(articles):
        (folder / f"article-{number:03}.txt").write_text("\n\n".join(sentences), encoding="utf-8")
    return folder
