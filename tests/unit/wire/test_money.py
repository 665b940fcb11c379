"""Prices cross the wire without losing a pip."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavach.units import Paise
from kavach.wire.money import (
    PIPS_MAX,
    amount,
    average,
    decimal,
    number,
    pips_from_text,
    pips_from_whole,
)

PIPS = st.integers(0, PIPS_MAX)


@given(PIPS)
def test_a_price_comes_back_as_it_went(pips: int) -> None:
    """What is written as a JSON number, with or without a point, is read as the same pips."""
    assert pips_from_text(json.dumps(number(pips))) == pips
    assert pips_from_text(json.dumps(decimal(pips))) == pips


@given(PIPS)
def test_a_price_prints_as_the_decimal_that_is_meant(pips: int) -> None:
    """The float made at the edge prints as the exact decimal, never as 15.399999."""
    assert Decimal(json.dumps(number(pips))) == Decimal(pips) / 10_000


@given(st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=6))
def test_reading_is_exact_or_refused(written: Decimal) -> None:
    """A decimal is read as exactly its pips, or not at all when it is finer than a pip."""
    exact = written * 10_000
    expected = int(exact) if exact == exact.to_integral_value() else None
    assert pips_from_text(f"{written:f}") == expected


@pytest.mark.parametrize(
    ("text", "pips"),
    [
        ("13", 130_000),
        ("13.0", 130_000),
        ("15.4", 154_000),
        ("0.0025", 25),
        ("50.50", 505_000),
        ("1.5e1", 150_000),
        ("2E-4", 2),
        ("1000000000", PIPS_MAX),
        ("13.00000000000000000000", 130_000),
    ],
)
def test_every_way_to_write_a_price(text: str, pips: int) -> None:
    """Digits, points and exponents are read by their value."""
    assert pips_from_text(text) == pips


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "-1", "-0.5", "+1", "1_000", "1,5", "0x10", "NaN", "Infinity", "13.", ".5"],
        *["1e400", "1e999", "9" * 41, "1000000000.0001", "13.00001", "1e-5", "١٣"],
        "13.0000000000000000000000000000001",
    ],
)
def test_what_is_no_price(text: str) -> None:
    """Negative, too fine, too large or not a number: there is no price in it."""
    assert pips_from_text(text) is None


def test_whole_rupees_have_the_same_bounds() -> None:
    """A JSON integer is bounded like a text."""
    assert pips_from_whole(13) == 130_000
    assert pips_from_whole(-1) is None
    assert pips_from_whole(10**30) is None


def test_an_average_is_rounded_to_the_nearest_pip() -> None:
    """The mean of 1 and 2 pips is 2 pips, of nothing 0."""
    assert average(3, 2) == 0.0002
    assert average(260_000, 2) == 13
    assert average(0, 0) == 0


def test_cash_may_be_negative() -> None:
    """A loss keeps its sign."""
    assert amount(Paise(-150)) == -1.5
    assert amount(Paise(-100)) == -1
    assert isinstance(amount(Paise(-100)), int)
