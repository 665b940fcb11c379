"""
The limits that documents promise are those of the program, to the last byte and second.

A test at such an edge would take a minute of silence or twelve thousand connections; what happens
there is tried with smaller numbers, and that the number is the documented one is tried here.
"""

from pathlib import Path
from typing import Final

import pytest

from kavach.api.feed import audience, channel, connection, door, hub, snapshot, socket
from kavach.api.gateway import gateway
from kavach.api.http import call
from kavach.api.http import connection as http
from kavach.api.people import guesses, logins
from kavach.api.routes import contracts as contract_routes
from kavach.contracts import archive, estimates, importing, search
from kavach.core.model.gtt import expiry
from kavach.core.model.money import holding
from kavach.core.model.orders import parent_order
from kavach.core.model.people import book as people
from kavach.core.rules.baskets import requests as baskets
from kavach.core.rules.gtt import requests as gtt
from kavach.core.rules.orders import answers
from kavach.journal import group_commit
from kavach.market import synthetic
from kavach.program import server
from kavach.sdk import pocket
from kavach.sdk.feed import outage
from kavach.sdk.transport import drivers
from kavach.twin import share_calls
from kavach.units import NS_PER_SECOND, PIPS_PER_RUPEE
from kavach.wire import headers, portfolio

DOCS: Final = Path(__file__).parents[3] / "docs"
KB: Final = 1024
MB: Final = 1024 * 1024


def told(number: float, unit: float = 1) -> str:
    """Return a number in its unit as documents have it: 12 000."""
    whole = number / unit
    assert whole == int(whole), f"{number} is no whole number of units of {unit}"
    return f"{int(whole):,}".replace(",", " ")


def minutes(seconds: float) -> str:
    """Return a time in whole minutes."""
    return told(seconds, 60)


# In which document, and the words with the number in them.
PROMISED: Final = {
    "wire/feeds.md": [
        f"(or binary frames) of at most {told(socket.MESSAGE_BYTES_MAX, KB)} kB",
        (
            f"the last {told(audience.RING_ENTRIES_MAX)} updates of a client "
            f"({told(audience.RING_BYTES_MAX, MB)} MB at most)"
        ),
        f"until {minutes(hub.RING_KEPT_SECONDS)} minutes after its last",
        f"more than {told(snapshot.ORDERS_MAX)} orders",
        f"more than {told(snapshot.TRADES_MAX)} trades",
        (
            f"up to {told(channel.UPDATE_BYTES_MAX, KB)} kB a connection; then it is closed with "
            f"{channel.TOO_SLOW}"
        ),
        f"| connections | {told(door.READERS_MAX)},",
        f"| subscriptions of a connection | {told(connection.SUBSCRIPTIONS_MAX)} | {socket.POLICY}",
        f"| a message | {told(socket.MESSAGE_BYTES_MAX, KB)} kB |",
        f"| messages | {told(connection.MESSAGES_MAX)} in {told(hub.SWEEP_SECONDS)} seconds |",
        f"| messages that are not understood | {told(connection.GARBAGE_MAX)} |",
        f"| {told(socket.FRAMES_BURST)} at once, {told(socket.FRAMES_PER_SECOND)} a second in",
        (
            f"| bytes | {told(socket.BYTES_BURST, KB)} kB at once, "
            f"{told(socket.BYTES_PER_SECOND, KB)} kB a second in"
        ),
        (
            f"| silence | {told(hub.IDLE_AFTER_SECONDS)} seconds; after "
            f"{told(hub.PING_AFTER_SECONDS)} the server sends a ping"
        ),
        f"| looked at every {told(hub.SWEEP_SECONDS)} seconds |",
        f"| the server stops | | {hub.GOING} |",
    ],
    "wire/README.md": [
        (
            f"over {told(call.BODY_BYTES_MAX, KB)} kB are 413, heads over "
            f"{told(http.HEAD_BYTES_MAX, KB)} kB or {told(http.HEAD_LINES_MAX)} lines 431"
        ),
        f"(1 to {headers.IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters)",
        f"by {told(parent_order.VERSION_STEP_NS)} at least",
        f"{told(answers.REFERENCE_TOLERANCE_NS)}, because a double rounds it",
    ],
    "wire/login.md": [
        f"or {told(people.LIFETIME_NS, NS_PER_SECOND)} s after it began",
        f"good for one login, for {minutes(logins.PENDING_NS / NS_PER_SECOND)} minutes",
        f"A code is good for {minutes(people.CODE_LIFETIME_NS / NS_PER_SECOND)} minutes",
        f"A client may have {told(people.SESSIONS_MAX)} sessions at once",
        f"until {minutes(guesses.WINDOW_NS / NS_PER_SECOND)} minutes after the first",
    ],
    "wire/errors.md": [f"More than {told(http.AHEAD_MAX)} requests ahead of their answers"],
    "wire/contracts.md": [
        f"at most {told(search.RESULTS_MAX)} rows, the best first",
        f"{told(contract_routes.STRIKES)} if blank, {told(contract_routes.STRIKES_MAX)} at most",
        f"At most {told(search.WORDS_MAX)} words are read",
        (
            f"more than {told(archive.BYTES_MAX, MB)} MB of tables or "
            f"{told(importing.ROWS_MAX)} contracts"
        ),
        (
            f"{told(estimates.FREEZE_VALUE_PIPS, PIPS_PER_RUPEE)} rupees, "
            f"{told(estimates.FREEZE_MAX)} shares at most; derivatives "
            f"{told(estimates.FREEZE_LOTS)} lots, currencies {told(estimates.CURRENCY_FREEZE_LOTS)}"
        ),
        f"beyond {told(synthetic.WALKS_MAX)}, the one that nobody has looked at",
    ],
    "wire/portfolio.md": [f"1 to {told(portfolio.LEGS_MAX)} legs"],
    "wire/baskets.md": [
        f"No more than {told(baskets.BASKETS_MAX)} baskets can be kept",
        f"No more than {told(baskets.BASKET_ORDERS_MAX)} orders can be in a basket",
    ],
    "wire/gtt.md": [
        f"today to {told(expiry.DAYS_MAX)} days ahead",
        f"no more than {told(gtt.GTTS_MAX)} active rules",
    ],
    "twin.md": [
        f"a list of 1 to {told(share_calls.HOLDINGS_MAX)}",
        f"of one share {told(holding.QUANTITY_MAX)} at most",
    ],
    "reliability.md": [
        (
            f"| head of a request | {told(http.HEAD_BYTES_MAX, KB)} kB, "
            f"{told(http.HEAD_LINES_MAX)} lines |"
        ),
        f"sizes of chunks, trailers | {told(http.EXTRA_BYTES_MAX, KB)} kB |",
        (
            f"| body | {told(call.BODY_BYTES_MAX, KB)} kB | 413; up to "
            f"{told(call.DRAINED_BYTES_MAX, MB)} MB are read"
        ),
        f"of a request to its last | {told(http.REQUEST_SECONDS_MAX)} s |",
        f"after an answer | {told(server.KEEP_ALIVE_SECONDS)} s |",
        f"that are not fetched | {told(http.FETCH_SECONDS_MAX)} s |",
        f"ahead of their answers | {told(http.AHEAD_MAX)} |",
        f"| connections | {told(http.CONNECTIONS_MAX)} |",
        f"| parsed at once | {told(http.PIECE_BYTES, KB)} kB;",
        f"one client that are not fetched | {told(gateway.LONG_MAX)} |",
        f"is not on disk | {told(gateway.WAITING_MAX)}, cancels {2 * gateway.WAITING_MAX} |",
        f"| SIGTERM, Ctrl-C | {told(server.STOP_SECONDS_MAX)} s |",
    ],
    "client.md": [
        f"timeout_seconds={pocket.TIMEOUT_SECONDS}, confirm_seconds={pocket.CONFIRM_SECONDS}",
        f"for `patience_seconds` ({told(outage.PATIENCE_SECONDS)})",
    ],
    "decisions/0032-one-deadline-one-guard.md": [
        f"given up at {told(drivers.ANSWER_BYTES_MAX, MB)} MB, unpacked"
    ],
    "spec/journal.md": [f"at most {told(group_commit.ROWS_MAX)} records, as one INSERT"],
}


@pytest.mark.parametrize("page", PROMISED)
def test_a_promised_limit_is_the_one_that_holds(page: str) -> None:
    """Every sentence with a limit in it stands in its document with the program's number."""
    text = " ".join((DOCS / page).read_text(encoding="utf-8").split())
    assert [words for words in PROMISED[page] if words not in text] == []
