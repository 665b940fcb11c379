"""Sixty connections that send streams without end, in a process of their own.

python -m tests.reliability.hostile.attack URL SECONDS
"""

import sys
import threading
import time

from tests.reliability.hostile.raw import KART, LOOK, TOKEN_LINE, Closed, Raw

CONNECTIONS = 60
STREAMS = (
    LOOK * 500,  # Requests without end, answers not fetched.
    b"GET /openapi.json HTTP/1.1\r\n\r\n" * 500,
    b"X-More: y\r\n" * 2_000,  # After HEADS[...]: a head without end.
    b"y" * 60_000,  # A line, a trailer or a body without end.
    b"1\r\n{\r\n" * 10_000,  # Crumbs of a body.
)
HEADS = (
    b"",
    b"",
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\nX: ",
    f"POST {KART} HTTP/1.1\r\n".encode() + TOKEN_LINE + b"Transfer-Encoding: chunked\r\n\r\n",
)


def pump(url: str, kind: int, until: float) -> None:
    """Send one kind of stream over one connection after the other."""
    while time.monotonic() < until:
        with Raw(url, seconds=0.5) as raw:
            try:
                raw.send(HEADS[kind])
                while time.monotonic() < until:
                    raw.send(STREAMS[kind])
            except (Closed, TimeoutError):
                continue


def main(url: str, seconds: float) -> None:
    """Attack for so long."""
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=pump, args=(url, number % len(STREAMS), until))
        for number in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
