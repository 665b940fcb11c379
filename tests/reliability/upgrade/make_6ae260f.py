"""
How the fixture of 6ae260f was made: its own program, run on stories that reach all it can store.

    git worktree add OLD 6ae260f
    PYTHONPATH=OLD/src:OLD:. .venv/bin/python -P -m tests.reliability.upgrade.make_6ae260f PLACE

Two kinds of directory come out. ``told`` is written by a real server, through its API and its
control room, over three days and five starts, with a snapshot on the way. The others are
simulated worlds of that time, chosen from their seeds until every mark that these worlds reach is
there; their made-up shares are listed by a first record, as imported contracts are. Beside them
stand what that program showed to each client (``rows.json``) and one of every event that it
could have stored (``examples.json``).

The parts of the old tree are looked up by name, since it is not this tree that they come from.
"""

import importlib
import json
import lzma
import re
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from kavach.core.model.listing.events import InstrumentListed
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.record import Step, decode_record, encode
from kavach.journal.sqlite import SqliteJournal
from kavach.twin.clock import TwinClock
from kavach.venues.embedded import EmbeddedVenue
from tests.reliability.upgrade.coverage import event_classes, every_mark, examples, marks
from tests.reliability.upgrade.reading import bodies, rows

SEEDS: Final = range(1, 400)
IDEA: Final = {"exchange": "NSE", "instrument_token": 14366}
FUTURE: Final = {"exchange": "NFO", "instrument_token": 35001}
SEGMENTS: Final = {  # A contract of each segment, and a price for it.
    "NSE": (11915, 18.0),
    "BSE": (500112, 740.0),
    "NFO": (35001, 26000.0),
    "BFO": (861001, 820.0),
    "MCX": (440001, 5600.0),
    "CDS": (1284, 89.0),
}


class Story:
    """A running server of that time, and what clients and the operator do to it."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.room: Any = server.room
        self.number = 100

    def ask(self, method: str, path: str, **fields: Any) -> Any:
        """Return the data of an answer that must be a success."""
        answer = self.server.http.request(method, path, json=fields)
        assert answer.status_code == 200, (path, fields, answer.text)
        return answer.json().get("data")

    def tried(self, method: str, path: str, **fields: Any) -> int:
        """Return the status of an answer that may be a refusal."""
        return int(self.server.http.request(method, path, json=fields).status_code)

    def place(self, kind: str = "", **fields: Any) -> Any:
        """Return what was answered to an order: regular, or CO, BO or AMO."""
        self.number += 1
        order = IDEA | {
            "client_id": "DEMO1",
            "order_type": "LIMIT",
            "price": 13,
            "quantity": 100,
            "validity": "DAY",
            "product": "MIS",
            "order_side": "BUY",
            "user_order_id": self.number,
        }
        if kind in ("CO", "BO"):
            order |= {"execution_type": kind, "stop_loss_value": 12.5 if kind == "CO" else 0.5}
        elif kind:
            order |= {"execution_type": kind}
        path = "/api/v1/orders/kart" if kind in ("CO", "BO") else "/api/v1/orders"
        return self.ask("POST", path, **(order | fields))

    def quote(self, bid: float, ask: float, quantity: int = 10_000, **at: Any) -> None:
        """Let the market stand here."""
        where = IDEA | at
        sizes = {"bid_quantity": quantity, "ask_quantity": quantity}
        self.room("POST", "market/quote", **where, bid=bid, ask=ask, **sizes)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.room("POST", "clock", action="advance", seconds=seconds)

    def orders(self) -> list[dict[str, Any]]:
        """Return the order book."""
        found: list[dict[str, Any]] = self.ask("GET", "/api/v1/orders?type=all")["orders"]
        return found


def first_day(story: Story) -> None:
    """Cover orders, brackets, regular orders of each kind, in each segment; rules and baskets."""
    story.room("POST", "clock", action="pause")
    story.room("POST", "clock", action="set", to="2026-12-01T09:30:00+05:30")
    shares = [{**IDEA, "quantity": 500, "average_price": 12.5}]
    story.room(
        "POST", "clients", client_id="DEMO2", cash=500_000, holdings=shares, algo_id="ALGO-2"
    )
    story.room("POST", "credentials", client_id="DEMO2", password="open sesame", pin="0417")
    story.quote(12.99, 13.01)
    for kind in ("CO", "BO"):
        target = {"square_off_value": 0.6} if kind == "BO" else {}
        story.place(kind, price=13.05, is_trailing=True, trailing_stop_loss="0.05", **target)
        story.place(kind, price=12.8, quantity=40, disclosed_quantity=10, **target)
        story.place(kind, order_type="MARKET", price=0, product="CNC", **target)
    story.quote(13.2, 13.25)
    for order_type in ("LIMIT", "SL", "MARKET", "SLM"):
        prices = {"price": 13.4 if order_type in ("LIMIT", "SL") else 0}
        trigger = {"trigger_price": 13.3} if order_type.startswith("SL") else {}
        for product in ("CNC", "MIS", "NRML", "MTF"):
            story.tried(
                "POST",
                "/api/v1/orders",
                **IDEA,
                client_id="DEMO1",
                order_type=order_type,
                quantity=10,
                product=product,
                order_side="BUY",
                validity="IOC" if product == "NRML" else "DAY",
                user_order_id=7,
                **prices,
                **trigger,
            )
    for exchange, (token, price) in SEGMENTS.items():
        at: dict[str, Any] = {"exchange": exchange, "instrument_token": token}
        lot = {"NFO": 65, "BFO": 20}.get(exchange, 1)
        step = 1.0 if price > 100 else 0.05
        story.quote(price - step, price, 5 * lot, **at)
        for side in ("BUY", "SELL"):
            product = "NRML" if exchange in ("NFO", "BFO", "MCX", "CDS") else "MIS"
            limit = price + step if side == "BUY" else price + 5 * step
            story.place(**at, price=limit, quantity=lot, product=product, order_side=side)
    for old, new in (("MIS", "CNC"), ("CNC", "MTF"), ("MTF", "NRML")):
        story.tried(
            "PUT",
            "/api/v1/position/convert",
            **IDEA,
            client_id="DEMO1",
            product=old,
            new_product=new,
            quantity=10,
            validity="DAY",
            order_side="BUY",
        )
    future = FUTURE | {"stop_loss_value": 25000, "quantity": 65, "price": 26000}
    story.place("CO", product="NRML", **future)
    kept_for_later(story)


def kept_for_later(story: Story) -> None:
    """Every call about baskets and rules."""
    line = IDEA | {
        "order_side": "BUY",
        "order_type": "LIMIT",
        "price": 12.9,
        "product": "MIS",
        "quantity": 5,
        "validity": "DAY",
    }
    made = []
    for name in ("Kept", "Gone", "Placed"):
        made.append(story.ask("POST", "/api/v1/basket", name=name, type="NORMAL")[-1])
    hedge = story.ask("POST", "/api/v1/basket", name="Hedge", type="HEDGE")[-1]
    kept, gone, placed = (basket["basket_id"] for basket in made)
    story.ask("PUT", "/api/v1/basket", basket_id=kept, name="Kept for later")
    story.ask("DELETE", "/api/v1/basket", basket_id=gone, name="Gone")
    for token, price in ((14366, 12.9), (11915, 18)):
        told = line | {"instrument_token": token, "price": price}
        story.ask("POST", "/api/v1/basket/order", basket_id=placed, order_info=told)
    future = line | FUTURE | {"price": 25900, "product": "NRML", "quantity": 65}
    story.ask("POST", "/api/v1/basket/order", basket_id=hedge["basket_id"], order_info=future)
    lines = story.ask("GET", "/api/v1/basket")
    (held,) = (basket for basket in lines if basket["basket_id"] == placed)
    ids = [order["order_id"] for order in held["orders"]]
    for change in (
        {"order_type": "MARKET", "price": 0},
        {"order_type": "SL", "price": 13.9, "trigger_price": 13.8},
        {"order_type": "SLM", "price": 0, "trigger_price": 13.8},
        {"order_side": "SELL", "product": "CNC"},
        {"product": "MTF"},
        {"product": "NRML", "validity": "IOC"},
        {"price": 12.85},
    ):
        told = {"basket_id": placed, "order_id": ids[0], "order_info": line | change}
        story.tried("PUT", "/api/v1/basket/order", **told)
    story.ask("DELETE", "/api/v1/basket/order", basket_id=placed, order_id=ids[1])
    story.ask(
        "POST",
        "/api/v1/orders/kart",
        client_id="DEMO1",
        execution_type="NML",
        basket_id=placed,
    )
    order = line | {"client_id": "DEMO1", "trigger_price": 14, "price": 14, "user_order_id": 8}
    both = {"sl_trigger_price": 12.6, "sl_price": 12.6, "sl_order_price": 12.55}
    rules = [
        story.ask(
            "POST",
            "/api/v1/event/gtt",
            action_type=action,
            expiry_time=expiry,
            order=order | more,
        )["id"]
        for action, expiry, more in (
            ("single_order", "2026-12-20", {}),
            ("oco_order", "2026-12-20", both | {"order_side": "SELL", "product": "CNC"}),
            ("single_order", "2026-12-01", {"trigger_price": 15, "price": 15}),
            ("single_order", "2026-12-20", {"trigger_price": 13.3, "price": 13.4}),
        )
    ]
    story.ask("PUT", "/api/v1/event/gtt", id=rules[1], order={"trigger_price": 14.2})
    story.ask("DELETE", f"/api/v1/event/gtt/DEMO1/{rules[0]}")
    story.room("POST", "market/trade", **IDEA, price=13.35, quantity=1)


def second_day(story: Story, people: Any) -> None:
    """The session ends, a night passes; people log in and out; the venue fails."""
    story.room("POST", "clock", action="pause")
    story.place("AMO", product="CNC", quantity=7)
    for exchange in SEGMENTS:
        story.room("POST", "session", exchange=exchange, phase="closed")
    story.wait(60)
    story.place("AMO", product="CNC", quantity=8, price=13.3)
    story.wait(18 * 3600)
    for exchange in SEGMENTS:
        story.room("POST", "session", exchange=exchange, phase="open")
    log_in(story, people)
    story.quote(13.1, 13.12)
    for effect in ("reject", "delay", "drop_request", "drop_report", "cancel_resting"):
        late = {"delay_ms": 400} if effect == "delay" else {}
        story.room("POST", "faults", on="new", leg="THIRD", effect=effect, **late)
        story.place("CO", price=13.2, quantity=20)
        story.wait(5)
        story.room("DELETE", "faults")
    story.room("POST", "venue/link", up=False)
    story.place("CO", price=13.2, quantity=30)
    story.wait(2)
    story.room("POST", "venue/link", up=True)
    for row in [r for r in story.orders() if r["leg_order_indicator"] == "ENTRY"][:4]:
        keys = ("exchange_order_id", "oms_order_id", "execution_type", "leg_order_indicator")
        fields = {"client_id": "DEMO1"} | {name: row[name] for name in keys}
        story.tried("DELETE", "/api/v1/orders/kart", **fields)
    story.wait(5)


def log_in(story: Story, people: Any) -> None:
    """A web login and its end, and an app that somebody logs in to."""
    visit = people.People(story.server)
    token = visit.log_in("DEMO2")
    bearer = {"Authorization": f"Bearer {token}"}
    gone = visit.log_in("DEMO2")
    for path in ("/api/v1/user/logout",):
        told = httpx.post(
            story.server.url + path, json={"client_id": "DEMO2"}, headers=bearer, trust_env=False
        )
        assert told.status_code == 200, told.text
    assert visit.who(gone) == "DEMO2"
    app = story.room(
        "POST", "apps", app_id=people.APP, name="An app", redirect_uris=[people.BACK], owner="DEMO1"
    )
    code = visit.code("DEMO2")
    told = visit.exchange(code, basic=(people.APP, app["app_secret"]))
    assert told.status_code == 200, told.text


def third_day(story: Story) -> None:
    """The regulator's limits hold, orders are marked, the kill switch and the square-off work."""
    story.room("POST", "clock", action="pause")
    story.quote(13.1, 13.12)
    story.place("CO", price=13.2, quantity=20, market_protection_percentage=2)
    story.place(price=13.0, quantity=9)
    story.place("CO", price=13.0, quantity=11)
    story.wait(10)


def fourth_day(story: Story) -> None:
    """A day by the exchanges' hours, its square-off included; the demo client's token is new."""
    story.room("POST", "clock", action="pause")
    for hour in ("15:00", "15:10", "15:25", "15:31", "16:00", "17:30", "23:20", "23:40"):
        story.room("POST", "clock", action="set", to=f"2026-12-03T{hour}:00+05:30")
        if hour == "15:00":
            story.quote(13.1, 13.12)
            story.place("CO", price=13.2, quantity=25)
            story.place(price=13.2, quantity=12)


def write_told(place: Path, twin_server: Any, people: Any) -> None:
    """Write the directory that a server leaves behind after three days and four starts."""
    with twin_server.running("--data-dir", place) as server:
        first_day(Story(server))
        server.stop()
    save_snapshot(place)
    with twin_server.running("--data-dir", place, "--limits", "documented") as server:
        second_day(Story(server), people)
        server.stop()
    with twin_server.running("--data-dir", place, "--limits", "sebi-2026") as server:
        third_day(Story(server))
        server.stop()
    hours = ("--sessions", "nse", "--demo-token", "another-token-of-demo1")
    with twin_server.running("--data-dir", place, *hours) as server:
        fourth_day(Story(server))
        server.stop()


def save_snapshot(directory: Path) -> None:
    """Have that program store its whole state, as it does by itself after many records."""
    instruments = load_instruments()
    venue = EmbeddedVenue(instruments)
    journal = SqliteJournal(directory)
    clock = TwinClock(lambda: 0, start_ns=0)
    engine = Engine(instruments, Settings(), journal, venue, clock)
    engine.recover()
    engine.save_snapshot()
    journal.close()


def write_worlds(place: Path, missing: set[str]) -> list[str]:
    """Write simulated worlds until they hold every mark that some seed reaches; their names."""
    world = importlib.import_module("tests.simulation.world")
    kinds = {
        "near": importlib.import_module("tests.simulation.near").NearWorld,
        "near-whole": importlib.import_module("tests.simulation.whole").NearWhole,
    }
    reached: dict[tuple[str, int], tuple[set[str], list[bytes]]] = {}
    for seed in SEEDS:
        for name, kind in kinds.items():
            played = world.attempt(kind, seed)
            if isinstance(played, world.Failure):
                continue
            records = [body for _, body in played.journal.records()]
            reached[name, seed] = marks(records), records
    written: list[str] = []
    while True:
        best = max(reached, key=lambda one: len(reached[one][0] & missing))
        found, records = reached[best]
        if not found & missing:
            return written
        missing -= found
        written.append(f"{best[0]}-{best[1]}")
        _write(place / written[-1], records)


def _write(directory: Path, records: list[bytes]) -> None:
    """Write a world as a directory; its shares are listed first, as imported contracts are."""
    process = importlib.import_module("tests.simulation.process")
    at_ns = decode_record(records[0]).at_ns
    shares = [msgspec.structs.replace(share, imported=True) for share in process.SHARES]
    listed = Step(at_ns, "ListContracts", [InstrumentListed(share) for share in shares], [])
    journal = SqliteJournal(directory)
    for body in (encode(listed), *records):
        journal.append(body)
    journal.close()


def pack(directory: Path, archive: Path) -> None:
    """Pack a directory's files, the same bytes for the same content."""
    with lzma.open(archive, "wb", preset=9) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for path in sorted(directory.iterdir()):
            entry = tar.gettarinfo(path, f"{directory.name}/{path.name}")
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            with path.open("rb") as content:
                tar.addfile(entry, content)


def write_examples(path: Path) -> None:
    """Write one of every event, and of every value of an enum in it, as it would be stored."""
    exchange = {kind for kind in event_classes() if kind.__module__.startswith("kavach.exchange")}
    lines = [
        msgspec.json.encode(["exchange" if type(event) in exchange else "core", event]).decode()
        for event in examples()
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")


UNREACHED: Final = {  # What is in no directory, by the mark's form, and why it cannot be.
    r"(Amend|Cancel)?Rejected": "changes nothing inside the exchange, so it is not journaled",
    r".*order_type=MARKET": "a market order goes to the venue with a limit",
    r"(OrderResurfaced|StrayCancelSent).*": "the exchange inside never denies an order it has",
    r".*=(resurfaced|stray|contradiction)": "the exchange inside never denies an order it has",
    r".*=(late_fill|resurrected)": "the exchange inside closes an order after its trades",
    r"CoverOrderPlaced\.product=MTF": "a cover order in MTF is refused",
    r"RegularOrderReopened": "the exchange inside closes an order after its trades",
    r"(Entry|Exit)\w+\.source=.*": "no rule gives this event this source",
    r"Gtt\w+\.terms\.order_type=.*": "a rule's order is LIMIT or MARKET",
    r"InstrumentListed\.terms\.exchange=.*": "a segment whose contracts were not imported",
}


def told_why(unreached: set[str]) -> str:
    """Return a line for each mark that no directory holds: the mark, and why."""
    lines = []
    for mark in sorted(unreached):
        reasons = [why for form, why in UNREACHED.items() if re.fullmatch(form, mark)]
        lines.append(f"{mark}: {reasons[0] if reasons else 'not in these stories'}\n")
    return "".join(lines)


def main(place: Path) -> None:
    """Write the fixture."""
    work = place / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    twin_server = importlib.import_module("tests.twin_server")
    write_told(work / "told", twin_server, importlib.import_module("tests.unit.api.people.stage"))
    found = marks(bodies(work / "told"))
    names = ["told", *write_worlds(work, every_mark() - found)]
    for name in names:
        found |= marks(bodies(work / name))
        pack(work / name, place / f"{name}.tar.xz")
    shown = {name: rows(work / name) for name in names}
    with lzma.open(place / "rows.json.xz", "wt", preset=9) as file:
        json.dump(shown, file, indent=1)
    (place / "marks.txt").write_text("\n".join(sorted(found)) + "\n")
    (place / "unreached.txt").write_text(told_why(every_mark() - found))
    write_examples(place / "examples.json")
    shutil.rmtree(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
