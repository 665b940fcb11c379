"""
The feed: packets a second to a thousand connections, their delay, and ten thousand that idle.

One ``kavach serve`` beside a bare server that broadcasts the same number of the same bytes, in
turns. All readers are in a third process (``feed_load.py``). Each packet that is counted was read
and is the new one. Delay is measured at a pace of two rounds a second.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bench.apart import apart, cpu_seconds
from bench.feed_load import Fed, Shown, drive, idle
from bench.finding import Finding
from bench.http import running
from bench.measure import ratios, spread
from kavach.data import load_instruments
from kavach.ready_files import Ready
from kavach.units import PIPS_PER_RUPEE
from kavach.wire.feed.packets import EXCHANGE_CODE, FORMATS, Marketdata

PACE_SECONDS: Final = 0.5


class Target:
    """A running server, and where its readers go."""

    def __init__(self, ready: Ready, shown: list[Shown], *, ours: bool) -> None:
        self.ready = ready
        self.port = urlsplit(ready.url).port or 0
        self._shown = shown
        self._operator = (ready.url, ready.operator_token) if ours else None
        login = f"login_id={ready.client_id}&access_token={ready.access_token}"
        self._target = f"/ws/v1/feeds?{login}"
        pairs = [[one.exchange_code, one.token] for one in shown]
        wish = {"a": "subscribe", "v": pairs, "m": "marketdata"}
        self._said = msgspec.json.encode(wish).decode()

    def feed(self, readers: int, rounds: int, pause: float) -> Fed:
        """Return what came of so many rounds."""
        before = cpu_seconds(self.ready.pid)
        fed = apart(
            drive,
            self.port,
            self._target,
            self._said,
            self._shown,
            readers,
            rounds,
            pause,
            self._operator,
        )
        return Fed(fed.sample, fed.delays, cpu_seconds(self.ready.pid) - before)

    def idle(self, readers: int) -> tuple[float, float, float]:
        """Return bytes a connection, seconds to open all, processor time for that."""
        return apart(idle, self.port, self._target, readers, self.ready.pid)


def shown(count: int) -> list[Shown]:
    """Return so many instruments, with a price at which each may be quoted."""
    found = [
        Shown(
            i.exchange.value,
            EXCHANGE_CODE[i.exchange],
            i.token,
            i.lot,
            i.previous_close_pips / PIPS_PER_RUPEE,
        )
        for i in load_instruments()
        if i.tradable
    ]
    assert len(found) >= count, f"there are only {len(found)} instruments"
    return found[:count]


def run(
    repetitions: int, readers: int, instruments: int, rounds: int, idlers: int
) -> list[Finding]:
    """Return packets a second, delays, and the cost of idle connections, of both servers."""
    with tempfile.TemporaryDirectory(prefix="kavach-bench-") as name:
        ready, bare = Path(name) / "kavach.json", Path(name) / "bare.json"
        serve = ["-m", "kavach", "serve", "--port", "0", "--market", "quiet", "--limits", "off"]
        data = ["--data-dir", ":memory:", "--ready-file", str(ready)]
        size = str(FORMATS[Marketdata].size)
        chosen = shown(instruments)
        with (
            running([*serve, *data], ready) as ours,
            running(["-m", "bench.bare_feed", str(bare), size], bare) as theirs,
        ):
            pair = Target(ours, chosen, ours=True), Target(theirs, chosen, ours=False)
            fast = _in_turns(repetitions, pair, lambda t: t.feed(readers, rounds, 0.0))
            paced = _in_turns(
                repetitions, pair, lambda t: t.feed(readers, max(rounds // 2, 1), PACE_SECONDS)
            )
            still = [target.idle(idlers) for target in pair]
    return [*_rates(*fast), *_delays(readers * instruments, *paced), *_idle(idlers, still)]


def _in_turns(
    repetitions: int, pair: tuple[Target, Target], act: Callable[[Target], Fed]
) -> tuple[list[Fed], list[Fed]]:
    first, second = [], []
    for _ in range(repetitions):
        first.append(act(pair[0]))
        second.append(act(pair[1]))
    return first, second


def _rates(ours: list[Fed], bare: list[Fed]) -> list[Finding]:
    rate = ratios([fed.sample.rate for fed in ours], [fed.sample.rate for fed in bare])
    by_cpu = ratios(
        [fed.cpu / fed.sample.count for fed in bare], [fed.cpu / fed.sample.count for fed in ours]
    )
    return [
        Finding("packets/s delivered", _rate(ours)),
        Finding("bare broadcast, packets/s", _rate(bare)),
        Finding("share of the bare broadcast's rate", rate.text(".2f")),
        Finding("packets by processor time of the server, over the bare one", by_cpu.text(".2f")),
    ]


def _rate(feds: list[Fed]) -> str:
    rate = spread([fed.sample.rate for fed in feds])
    server = spread([fed.cpu / fed.sample.count * 1e6 for fed in feds])
    return f"{rate.text()}; server {server.middle:.1f} µs of processor time each"


def _delays(packets: int, ours: list[Fed], bare: list[Fed]) -> list[Finding]:
    findings = []
    for what, feds in (("packet", ours), ("bare broadcast", bare)):
        p50 = spread([fed.percentile_ms(50) for fed in feds])
        p99 = spread([fed.percentile_ms(99) for fed in feds])
        result = f"p50 {p50.text('.1f')}, p99 {p99.text('.1f')}"
        name = f"delay of a {what}, {packets:,} every {PACE_SECONDS} s, ms"
        findings.append(Finding(name, result))
    return findings


def _idle(readers: int, still: list[tuple[float, float, float]]) -> list[Finding]:
    findings = []
    for what, (size, took, used) in zip(("", "bare server: "), still, strict=True):
        result = f"{size:,.0f} bytes each; opened in {took:.1f} s, {used / readers * 1e6:.0f} µs of"
        findings.append(
            Finding(f"{what}{readers:,} idle connections", f"{result} processor time each")
        )
    return findings
