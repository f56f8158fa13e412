"""Downloads from a server of our own that drops, lies and hangs up; part of `trust.torture`.

A trial holds if the file in the end is the right one, a wrong one was never under its name, what
had arrived was not asked for again (where the server can resume; a killed process may lose what it
had not yet written), and every error was one line that names the address.
"""

import hashlib
import http.server
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from widenets.ntk.data import DataError
from widenets.ntk.data.download import KnownFile, fetch
from workflow.base.tree import ROOT

NAME = "download"
SIZE = 4_000_000
KILLED = 5  # times
UNWRITTEN = 2**19  # bytes that may be on their way when a process is killed
MOST_CALLS = 40
DROPS = 0.2  # of the file, at most, in one answer of a server that drops
FETCH = (
    "import sys; from pathlib import Path; from widenets.ntk.data.download import KnownFile, fetch;"
    "fetch(KnownFile('set/file', sys.argv[1], int(sys.argv[2]), (sys.argv[3],)), Path(sys.argv[4]))"
)


class Server(http.server.ThreadingHTTPServer):
    """Serves one content in one bad way; `sent` counts its bytes."""

    def __init__(self, content: bytes, manner: str, generator: random.Random):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.manner, self.generator = content, manner, generator
        self.sent = self.asked = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"

    def handle_error(self, request, client_address) -> None:
        """A client that was killed is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        server.asked += 1
        manner = server.manner
        if manner == "refuses" and server.asked < 3:
            self.send_error(503)
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and manner != "drops, cannot resume":
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= SIZE:
            self.send_error(416)
            return
        content = server.content
        if manner == "sends a wrong byte" and server.asked < 3:
            content = content[:7] + bytes([content[7] ^ 1]) + content[8:]
        content = content[start:]
        self.send_response(206 if start else 200)
        if manner != "drops, does not say the length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if manner.startswith("drops") and server.asked < MOST_CALLS // 2:
            content = content[: int(server.generator.uniform(0, DROPS) * SIZE)]
        for first in range(0, len(content), 1 << 14):
            self.wfile.write(content[first : first + (1 << 14)])
            server.sent += len(content[first : first + (1 << 14)])
            if manner == "is slow":
                time.sleep(0.001)

    def log_message(self, *words) -> None:
        """Nothing to the terminal."""


MANNERS = {
    "drops": "closes the connection after a random part, 19 times",
    "drops, cannot resume": "the same, and ignores the wish to resume",
    "drops, does not say the length": "the same, without Content-Length",
    "refuses": "answers 503 twice",
    "sends a wrong byte": "twice",
    "is slow": "and the process that fetches is killed (-9) at random moments, 5 times",
}


@contextmanager
def serving(content: bytes, manner: str, generator: random.Random) -> Iterator[Server]:
    server = Server(content, manner, generator)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def trials(scratch: Path, seed: int) -> Iterator[dict]:
    generator = random.Random(seed)
    content = generator.randbytes(SIZE)
    for manner in MANNERS:
        with serving(content, manner, generator) as server:
            yield trial(server, scratch / f"download {manner}")


def trial(server: Server, folder: Path) -> dict:
    checksum = f"sha256:{hashlib.sha256(server.content).hexdigest()}"
    known = KnownFile("set/file", checksum, SIZE, (server.address,))
    path, said, wrong = folder / known.path, [], False
    if server.manner == "is slow":
        for _ in range(KILLED):
            kill_fetching(known, server, folder)
            wrong |= is_wrong(path, server)
    for _ in range(MOST_CALLS):
        try:
            fetch(known, folder)
            break
        except DataError as error:
            said.append(str(error))
            wrong |= is_wrong(path, server)
    same = path.exists() and path.read_bytes() == server.content
    allowed = {"drops": SIZE, "is slow": SIZE + KILLED * UNWRITTEN}
    lost = server.sent > allowed.get(server.manner, server.sent)
    clear = all(server.address in text and "\n" not in text for text in said)
    shortest = min(said, key=len, default="")
    return {
        "fault": f"{NAME}: server {server.manner}",
        "what": MANNERS[server.manner],
        "exit_code": 0,
        "gate": 0,
        "half_counted": wrong,
        "lost": lost,
        "runs_until_green": len(said) + 1,
        "same_bytes": same,
        "leftovers": len(list(folder.rglob("*.part"))),
        "message": shortest.replace(str(folder), "DATA").replace(server.address, "URL")[:200],
        "holds": same and clear and not wrong and not lost,
    }


def is_wrong(path: Path, server: Server) -> bool:
    """Whether something else than the whole file is under its name."""
    return path.exists() and path.read_bytes() != server.content


def kill_fetching(known: KnownFile, server: Server, folder: Path) -> None:
    """Start a process that fetches, and kill it while bytes arrive."""
    words = [known.checksum, str(SIZE), server.address, str(folder)]
    process = subprocess.Popen([sys.executable, "-c", FETCH, *words], cwd=ROOT / "shared")
    before = server.sent
    while process.poll() is None and server.sent == before:
        time.sleep(0.005)
    time.sleep(server.generator.uniform(0, 0.2))
    process.send_signal(signal.SIGKILL)
    process.wait()
