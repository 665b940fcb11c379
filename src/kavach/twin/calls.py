"""
The calls of the control room: each reads its fields, does one thing, and says what is now.

A call reads everything before it changes anything, so a refused one has changed nothing. What
the exchange itself refuses (a price off tick, a closed session) it refuses before it acts.

Source: docs/twin.md.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from kavach.core.commands import Leg, OpenClient, session_change
from kavach.core.model.limits.commands import RegisterAlgo
from kavach.core.model.people.commands import RegisterApp, SetCredentials
from kavach.core.refusals import Reason, Refusal
from kavach.credentials import new_access_token, new_token, secret_digest, token_digest
from kavach.exchange.liquidity import LiquidityError
from kavach.exchange.messages import Event as ExchangeEvent
from kavach.instruments import SESSIONS, Instrument, sessions_of
from kavach.twin.audit import audit
from kavach.twin.clock import TwinClock, seconds_ns
from kavach.twin.door import Refused
from kavach.twin.fields import INTEGER_MAX, SECONDS_MAX, Fields
from kavach.twin.market_view import market_view
from kavach.twin.share_calls import shares_of
from kavach.twin.travel import JOURNEY_SECONDS, travel
from kavach.twin.world_port import World
from kavach.units import (
    IST_OFFSET_SECONDS,
    NS_PER_MS,
    NS_PER_SECOND,
    Exchange,
    Phase,
    Pips,
    Side,
    TimestampNs,
)

CODE_OF_FAULT: Final = 16418  # "Invalid data": what a real venue says when it gives no reason.
REASON_OF_FAULT: Final = "Refused on request of the control room"
LATEST_NS: Final = 4_102_444_800 * NS_PER_SECOND  # 2100-01-01: no market is open longer.

_IST: Final = timezone(timedelta(seconds=IST_OFFSET_SECONDS))
_INSTRUMENT: Final = ("exchange", "instrument_token")
_CREDENTIALS: Final = ("password", "pin", "totp_secret")


# --- The market -------------------------------------------------------------------------------


async def look(world: World, fields: Fields) -> dict[str, Any]:
    """Return what everybody sees of an instrument."""
    fields.only(_INSTRUMENT)
    return market_view(world.venue.exchange, fields.instrument(world.service.engine.instruments))


async def quote(world: World, fields: Fields) -> dict[str, Any]:
    """Replace the house's quotes by one bid and one ask, and return the market."""
    fields.only((*_INSTRUMENT, "bid", "bid_quantity", "ask", "ask_quantity"))
    instrument = fields.instrument(world.service.engine.instruments)
    bid, bid_quantity = _quoted(fields, "bid")
    ask, ask_quantity = _quoted(fields, "ask")
    exchange = world.venue.exchange
    _act(
        world,
        instrument,
        lambda at_ns: exchange.liquidity_quote(
            instrument.key, bid, bid_quantity, ask, ask_quantity, at_ns
        ),
    )
    return market_view(exchange, instrument)


def _quoted(fields: Fields, side: str) -> tuple[Pips, Any]:
    """Return price and quantity of a side; without a quantity the price need not be there."""
    quantity = fields.quantity(f"{side}_quantity", least=0)
    if quantity == 0 and not fields.has(side):
        return Pips(0), quantity
    return fields.price(side), quantity


async def order(world: World, fields: Fields) -> dict[str, Any]:
    """Enter an anonymous order, and return how much of it filled at once."""
    fields.only((*_INSTRUMENT, "side", "price", "quantity"))
    instrument = fields.instrument(world.service.engine.instruments)
    side = fields.word("side", Side)
    price = None if fields.is_null("price") else fields.price("price")
    quantity = fields.quantity("quantity")
    exchange = world.venue.exchange
    filled, liquidity_id = 0, ""

    def enter(at_ns: TimestampNs) -> list[ExchangeEvent]:
        nonlocal filled, liquidity_id
        filled, liquidity_id, events = exchange.liquidity_order(
            instrument.key, side, price, quantity, at_ns
        )
        return events

    _act(world, instrument, enter)
    return {"filled": filled, "order_id": liquidity_id}


async def trade(world: World, fields: Fields) -> dict[str, Any]:
    """Print a trade elsewhere in the market, and return the market."""
    fields.only((*_INSTRUMENT, "price", "quantity"))
    instrument = fields.instrument(world.service.engine.instruments)
    price = fields.price("price")
    quantity = fields.quantity("quantity")
    exchange = world.venue.exchange
    _act(
        world,
        instrument,
        lambda at_ns: exchange.print_trade(instrument.key, price, quantity, at_ns),
    )
    return market_view(exchange, instrument)


def _act(
    world: World,
    instrument: Instrument,
    act: Callable[[TimestampNs], list[ExchangeEvent]],
) -> None:
    """Do something at the exchange and let the core hear of it."""
    venue = world.venue
    try:
        world.service.market(
            lambda at_ns: venue.reports_of(act(TimestampNs(at_ns)), instrument.key)
        )
    except LiquidityError as error:
        field, _, wrong = str(error).partition(": ")
        raise Refused(field, wrong) from error


# --- Faults -----------------------------------------------------------------------------------


class FaultOn(StrEnum):
    """Which requests to the venue suffer."""

    NEW = "new"
    AMEND = "amend"
    CANCEL = "cancel"
    ANY = "any"


class Effect(StrEnum):
    """What they suffer."""

    REJECT = "reject"
    DELAY = "delay"
    DROP_REQUEST = "drop_request"
    DROP_REPORT = "drop_report"
    DUPLICATE_REPORT = "duplicate_report"
    CANCEL_RESTING = "cancel_resting"
    REMOVE_FIRED = "remove_fired"


DELAY_MS_MAX: Final = 3_600_000


async def add_fault(world: World, fields: Fields) -> dict[str, Any]:
    """Let the next matching requests suffer, and return the fault's id."""
    fields.only(("on", "leg", "client_id", "effect", "code", "reason", "delay_ms", "times"))
    on = fields.word("on", FaultOn)
    leg = fields.word("leg", Leg) if fields.has("leg") else None
    client_id = fields.name("client_id") if fields.has("client_id") else None
    if client_id is not None and client_id not in world.service.engine.state.clients:
        raise Refused("client_id", f"there is no client {client_id}")
    effect = fields.word("effect", Effect)
    code = fields.integer("code", 0, INTEGER_MAX) if fields.has("code") else CODE_OF_FAULT
    reason = fields.text("reason") if fields.has("reason") else REASON_OF_FAULT
    delay_ms = fields.integer("delay_ms", 0, DELAY_MS_MAX) if fields.has("delay_ms") else 0
    if effect is Effect.DELAY and delay_ms == 0:
        raise Refused("delay_ms", "must say how late the report comes")
    times = fields.integer("times", 1, INTEGER_MAX) if fields.has("times") else 1
    fault_id = f"fault-{new_token()[:8]}"
    world.add_fault(
        fault_id=fault_id,
        on=on.value,
        leg=leg,
        client_id=client_id,
        effect=effect.value,
        code=code,
        reason=reason,
        times=times,
        delay_ns=delay_ms * NS_PER_MS,
    )
    return {"fault_id": fault_id}


async def set_link(world: World, fields: Fields) -> dict[str, Any]:
    """Lose the venue, or find it again; return whether the link is up."""
    fields.only(("up",))
    up = fields.flag("up")
    world.set_link(up=up)
    return {"up": up}


async def clear_faults(world: World, fields: Fields) -> dict[str, Any]:
    """Take every fault away."""
    world.clear_faults()
    return {}


# --- The clock and the day --------------------------------------------------------------------


class ClockAction(StrEnum):
    """What the clock is to do."""

    PAUSE = "pause"
    RESUME = "resume"
    ADVANCE = "advance"
    SET = "set"


async def clock(world: World, fields: Fields) -> dict[str, Any]:
    """Return the time, and how it goes."""
    return _clock_view(world.clock)


def _clock_view(twin_clock: TwinClock) -> dict[str, Any]:
    now_ns = twin_clock.now_ns()
    seconds, rest_ns = divmod(now_ns, NS_PER_SECOND)
    moment = datetime.fromtimestamp(seconds, _IST).replace(microsecond=rest_ns // 1_000)
    return {
        "now": moment.isoformat(timespec="microseconds"),
        "now_ns": now_ns,
        "paused": twin_clock.paused,
        "speed": _speed(twin_clock.speed),
    }


def _speed(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


async def set_clock(world: World, fields: Fields) -> dict[str, Any]:
    """Stop, start or take the clock somewhere, and return the time it shows then."""
    fields.only(("action", "seconds", "to"))
    if world.in_cluster:
        raise Refused("clock", "is that of the day: other machines go on with it", 409)
    action = fields.word("action", ClockAction)
    if action is ClockAction.ADVANCE:
        span_ns = seconds_ns(fields.seconds("seconds"))
        await _take_clock(world, "seconds", world.service.engine.now_ns() + span_ns)
    elif action is ClockAction.SET:
        to_ns = fields.moment_ns("to")
        now_ns = world.service.engine.now_ns()
        if to_ns < now_ns:
            raise Refused("to", "has passed, and the clock does not run backwards")
        if to_ns - now_ns > SECONDS_MAX * NS_PER_SECOND:
            raise Refused("to", "is more than a year ahead")
        await _take_clock(world, "to", to_ns)
    elif action is ClockAction.PAUSE:
        world.clock.pause()
        world.service.changed()
    else:
        world.clock.resume()
        world.service.changed()
    return _clock_view(world.clock)


async def _take_clock(world: World, field: str, target_ns: int) -> None:
    if target_ns > LATEST_NS:
        raise Refused(field, "goes beyond the year 2099")
    if world.clock.travelling:
        raise Refused("clock", "is being set by another call just now", 409)
    if not await travel(world, target_ns):
        shown = _clock_view(world.clock)["now"]
        wrong = (
            f"more is due on the way than {JOURNEY_SECONDS} seconds of work; the clock has got "
            f"to {shown}, ask again for the rest"
        )
        raise Refused(field, wrong, 409)


async def session(world: World, fields: Fields) -> dict[str, Any]:
    """Bring an exchange, or one session of it, into a phase now, and return that."""
    fields.only(("exchange", "phase", "session"))
    exchange = fields.word("exchange", Exchange)
    phase = fields.word("phase", Phase)
    name = fields.text("session") if fields.has("session") else ""
    if name and name not in SESSIONS[exchange]:
        raise Refused("session", f"must be one of {', '.join(SESSIONS[exchange])}")
    world.service.changed()
    venue = world.venue
    if any(venue.exchange.phase(one) is not phase for one in sessions_of(exchange, name)):
        world.service.change_phase(
            session_change(exchange, phase, name),
            lambda at_ns: venue.set_phase(exchange, phase, at_ns, name),
        )
    told = {"session": name} if name else {}
    return {"exchange": exchange.value, **told, "phase": phase.value}


# --- Clients, and the whole -------------------------------------------------------------------


async def open_client(world: World, fields: Fields) -> dict[str, Any]:
    """Open an account, and return its access token, which is told this once."""
    fields.only(("client_id", "cash", "algo_id", *_CREDENTIALS, "holdings"))
    client_id = fields.name("client_id")
    cash = fields.cash("cash")
    algo_id = fields.name("algo_id") if fields.has("algo_id") else ""
    if client_id in world.service.engine.state.clients:  # Before a second of work for nothing.
        raise Refused("client_id", f"{client_id} exists already")
    holdings = shares_of(world, fields) if fields.has("holdings") else ()
    password_digest, pin_digest, totp_secret = await _credentials(fields)
    token = new_token()
    outcome = world.service.execute(
        OpenClient(
            client_id=client_id,
            cash_paise=cash,
            token_digest=token_digest(token),
            password_digest=password_digest,
            pin_digest=pin_digest,
            totp_secret=totp_secret,
            holdings=holdings,
        )
    )
    if isinstance(outcome, Refusal):
        assert outcome.reason is Reason.CLIENT_MUST_BE_NEW, outcome
        raise Refused("client_id", f"{client_id} exists already")
    if algo_id:
        world.service.execute(RegisterAlgo(client_id=client_id, algo_id=algo_id))
    return {"client_id": client_id, "access_token": token}


async def set_credentials(world: World, fields: Fields) -> dict[str, Any]:
    """Give a client another password, PIN and TOTP secret; what is not there it has not."""
    fields.only(("client_id", *_CREDENTIALS))
    client_id = fields.name("client_id")
    if client_id not in world.service.engine.state.clients:
        raise Refused("client_id", f"there is no client {client_id}")
    password_digest, pin_digest, totp_secret = await _credentials(fields)
    outcome = world.service.execute(
        SetCredentials(
            client_id=client_id,
            password_digest=password_digest,
            pin_digest=pin_digest,
            totp_secret=totp_secret,
        )
    )
    if isinstance(outcome, Refusal):
        assert outcome.reason is Reason.CLIENT_MUST_EXIST, outcome
        raise Refused("client_id", f"there is no client {client_id}")
    return {"client_id": client_id}


async def _credentials(fields: Fields) -> tuple[str, str, str]:
    """Return digests of password and PIN, and the TOTP secret; empty where there is none."""
    password = fields.text("password") if fields.has("password") else ""
    pin = fields.text("pin") if fields.has("pin") else ""
    totp_secret = fields.totp_secret("totp_secret") if fields.has("totp_secret") else ""
    digests = [
        await asyncio.to_thread(secret_digest, secret) if secret else ""
        for secret in (password, pin)
    ]
    return digests[0], digests[1], totp_secret


async def register_app(world: World, fields: Fields) -> dict[str, Any]:
    """Let an app have people log in here, and return its id and its secret, told this once."""
    fields.only(("app_id", "name", "redirect_uris", "owner"))
    app_id = fields.name("app_id") if fields.has("app_id") else f"app-{new_token()[:12]}"
    name = fields.text("name") if fields.has("name") else app_id
    redirect_uris = fields.redirect_uris("redirect_uris")
    owner = fields.name("owner") if fields.has("owner") else ""
    secret = new_access_token()
    outcome = world.service.execute(
        RegisterApp(
            app_id=app_id,
            name=name,
            secret_digest=token_digest(secret),
            redirect_uris=redirect_uris,
            owner=owner,
        )
    )
    if isinstance(outcome, Refusal):
        if outcome.reason is Reason.CLIENT_MUST_EXIST:
            raise Refused("owner", f"there is no client {owner}")
        assert outcome.reason is Reason.APP_MUST_BE_NEW, outcome
        raise Refused("app_id", f"{app_id} exists already")
    return {"app_id": app_id, "app_secret": secret, "redirect_uris": list(redirect_uris)}


async def audited(world: World, fields: Fields) -> dict[str, Any]:
    """Check every invariant now, and return what was found."""
    engine = world.service.engine
    report = audit(
        engine.state, world.venue.exchange.snapshot(), engine.now_ns(), engine.core.prices
    )
    world.audited(len(report.violations))
    return {
        "violations": [
            {"invariant": v.invariant, "order": str(v.order or ""), "detail": v.detail}
            for v in report.violations
        ],
        "cover_orders": report.cover_orders,
        "events": report.events,
        "naked_ms_max": -(-report.naked_ns_max // NS_PER_MS),
        "naked_real_ms_max": -(-engine.naked_real_ns_max() // NS_PER_MS),
        "state_hash": engine.state_hash(),
    }


async def reset(world: World, fields: Fields) -> dict[str, Any]:
    """Become a fresh world, and return the hash of its state."""
    fields.only(())
    if world.in_cluster:
        raise Refused("reset", "would leave other machines with what was: make a new database", 409)
    if world.clock.travelling:
        raise Refused("clock", "is being set by another call just now", 409)
    world.reset()
    return {"state_hash": world.service.engine.state_hash()}
