"""``kavach demo``: it ends by itself, tells the seed page's story, and hides nothing."""

from typing import Final

from tests.twin_server import run

FEED: Final = [
    "3 rows so far",
    "IDEA at 13.20 (+0.20), 13.20 to 13.25",
    "ENTRY CONFIRMED, 0 of 50",
    "ENTRY COMPLETE, 50 of 50",
    "BUY 50 traded at 13.25",
    "THIRD TRIGGER_PENDING, 0 of 50",
    "50 held",
    "IDEA at 13.25 (+0.25), 13.20 to 13.25",
    "IDEA at 13.25 (+0.25), 12.80 to 12.85",
    "THIRD SL_TRIGGER_CONFIRMED, 0 of 50",
    "THIRD COMPLETE, 50 of 50",
    "SELL 50 traded at 12.8",
    "0 held",
    "IDEA at 12.80 (-0.20), 12.80 to 12.85",
]


def test_the_story_is_told_to_its_end() -> None:
    """Piped, it is plain text with every request, what the exchange did, and a sound end."""
    ended = run("demo")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = ended.stdout
    assert "\x1b" not in told
    methods = [line.split()[1] for line in told.splitlines() if line.endswith(" HTTP/1.1")]
    assert methods.count("DELETE") == 2
    assert told.count("< HTTP/1.1 200 OK") == len(methods)
    assert told.count('"message":"Order Cancelled Successfully"') == 2
    for event in ("Accepted", "Traded", "Amended", "Removed"):
        assert f"exchange: {event}" in told
    assert "THIRD SELL   0 of  40" in told
    assert "THIRD SELL   0 of 100" in told
    assert "COMPLETE traded at 13.2" in told
    assert "net quantity 0, profit 20 rupees" in told
    feed = [line.removeprefix("   feed: ") for line in told.splitlines() if "   feed: " in line]
    assert feed == FEED
    assert "0 violations" in told


def test_the_last_minutes_are_told_to_their_end() -> None:
    """Cut-off, square-off, stops out, an exit in the auction, what is carried, the next morning."""
    ended = run("demo", "--scene", "last-minutes")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = ended.stdout
    marks = [
        '"order_status":"TRIGGER_PENDING"',
        "< HTTP/1.1 400 Bad Request",
        "alarm: circuit_locked",
        "why=expired code=16445",
        "exchange: Referenced           instrument=NSE:14366 price=13.00",
        "why=removed code=16284",
        "exchange: PhaseChanged         exchange=NSE phase=closing_auction ",
        "order_type=MARKET quantity=100",
        '{"filled":0,',
        "exchange: Matched              instrument=NSE:14366 price=13.05 quantity=60",
        "alarm: carried: 40 held at the end of the session",
        "alarm: resumed: 40 carried over: the position is squared off",
        "THIRD SELL   0 of  50 IDEA-EQ SLM    price 0      trigger 12.5   TRIGGER_PENDING",
        "0 violations of an invariant",
    ]
    places = [told.index(marks[0])]
    for mark in marks[1:]:
        places.append(told.index(mark, places[-1]))
    assert told.count("400 Bad Request") == 1
