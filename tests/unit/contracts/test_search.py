"""Search finds what is meant: as a naive search over every contract would, only quicker."""

import time
from itertools import islice, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kavach.contracts.importing import read_contracts
from kavach.contracts.search import (
    ERRORS_FROM,
    RESULTS_MAX,
    TWO_ERRORS_FROM,
    WORDS_MAX,
    Search,
)
from kavach.contracts.words import code_of, names_of, order_of, split, words_of
from kavach.data import load_instruments
from kavach.instruments import Instrument
from tests.unit.contracts.published import market, packed

BUNDLED = load_instruments()
MISS = 99
CPU_SECONDS_MAX = 0.06  # Of one search; a few milliseconds on a machine that does nothing else.


def distance(one: str, other: str) -> int:
    """The letters to change, leave out, put in, or exchange with the next, by the textbook."""
    table = [
        [i + j if i * j == 0 else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)
    ]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (one[i - 1] != other[j - 1]),
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


DESCRIBED: dict[str, tuple[set[str], set[str]]] = {}


def described(one: Instrument) -> tuple[set[str], set[str]]:
    """Names and words of a contract, looked up once."""
    if one.key not in DESCRIBED:
        names = {*names_of(one), code_of(one)} - {""}
        DESCRIBED[one.key] = (names, set(words_of(one)))
    return DESCRIBED[one.key]


def fit(word: str, one: Instrument, forgiving: bool) -> int:
    """How well a word fits a contract, by definition."""
    names, words = described(one)
    whole = not one.option_type or len(word) > 2
    if word in names:
        return 0
    if whole and any(name.startswith(word) for name in names):
        return 1
    if word in words:
        return 2
    if whole and any(other.startswith(word) for other in words):
        return 3
    allowed = 0 if len(word) < ERRORS_FROM else 2 if len(word) >= TWO_ERRORS_FROM else 1
    if forgiving and allowed:
        letters = [w for w in words if w.isalpha() and len(w) >= ERRORS_FROM]
        near = [other for other in letters if abs(len(other) - len(word)) <= allowed]
        if any(distance(word, other) <= allowed for other in near):
            return 4
    return MISS


def naive(instruments: list[Instrument], text: str) -> list[str]:
    """Every contract looked at, one after the other."""
    words = split(text)[:WORDS_MAX]
    whole = "".join(words)
    for forgiving in (False, True):
        sums = []
        for number, one in enumerate(order_of(instruments)):
            total = sum(fit(word, one, forgiving) for word in words)
            if not forgiving and whole in described(one)[0]:
                total = 0
            if words and total < MISS:
                sums.append((total, number, one.key))
        if sums:
            return [key for _, _, key in sorted(sums)[:RESULTS_MAX]]
    return []


def found(search: Search, text: str) -> list[str]:
    """The keys that a search finds."""
    return [hit.instrument.key for hit in search.find(text)]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> list[Instrument]:
    """The bundled instruments, and some hundred others of every kind."""
    every = market(7_500)
    path = packed(
        tmp_path_factory.mktemp("published") / "Compact.zip", [*every[:200], *every[6_003::9]]
    )
    return [*BUNDLED, *read_contracts(path, BUNDLED).current]


@pytest.fixture(scope="module")
def search(few: list[Instrument]) -> Search:
    """A search over them."""
    return Search(few)


PIECES = [
    *(
        "SBIN",
        "sbi",
        "state",
        "bank",
        "STATE BANK",
        "Nifty",
        "nifty 50",
        "NIFTY50",
        "S",
        "n",
        "BA",
    ),
    *("TATA", "tata steel", "TATASTEEL", "stele", "steeel", "MOTROS", "mahindra", "Mahindar"),
    *(
        "26DEC",
        "29DEC26",
        "DEC",
        "2026",
        "CE",
        "put",
        "future",
        "52000",
        "BANKNIFTY29DEC",
        "FUT",
    ),
    *(
        "NSE",
        "mcx",
        "crude",
        "CRUDOIL",
        "IDEA-EQ",
        "idea",
        "INE062A01020",
        "vodafone",
        "vodaphone",
    ),
]


@given(
    st.lists(
        st.sampled_from(PIECES) | st.text(st.characters(codec="ascii"), max_size=6), max_size=4
    ).map(" ".join)
)
@settings(max_examples=max(100, settings().max_examples))
def test_it_finds_what_a_naive_search_finds(
    few: list[Instrument], search: Search, text: str
) -> None:
    """The same contracts in the same order, for whatever is typed."""
    assert found(search, text) == naive(few, text)


@pytest.mark.parametrize("text", PIECES)
def test_each_by_itself(few: list[Instrument], search: Search, text: str) -> None:
    """Every word alone finds what a naive search finds; two letters lead to no derivative."""
    assert found(search, text) == naive(few, text)
    if len(text) <= 2 and text.isalpha():
        hits = search.find(text, limit=10_000)
        exact = {"CE", "PE"} & {text.upper()}
        assert exact or not any(hit.instrument.option_type for hit in hits)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("SBIN", "NSE:3045"),
        ("sbin-eq", "NSE:3045"),
        ("sbin-a", "BSE:500112"),
        ("State Bank", "NSE:3045"),
        ("INE062A01020", "NSE:3045"),
        ("statebank of inda", "NSE:3045"),
        ("stat bnak", "NSE:3045"),
        ("RELAINCE", "NSE:2885"),
        ("nifty 50", "NSE:26000"),
        ("NIFTY", "NSE:26000"),
        ("nifty 25900 ce", "NFO:35010"),
        ("NIFTY26DEC25900CE", "NFO:35010"),
        ("nifty fut dec", "NFO:35001"),
        ("crude", "MCX:440001"),
        ("usd inr", "CDS:1284"),
    ],
)
def test_what_people_type(search: Search, text: str, first: str) -> None:
    """Symbols, companies, ISINs, expiries and slips of the finger lead to the one that is meant."""
    assert found(search, text)[0] == first


@pytest.mark.parametrize("text", ["", "  ", "&", "#", "%", "\x00", "''--", "☃", "½", "xyzzy" * 99])
def test_nothing_is_found_by_nothing(search: Search, text: str) -> None:
    """What has no word in it, or one that is nobody's, finds nothing and breaks nothing."""
    assert found(search, text) == []


def test_scores_fall(search: Search) -> None:
    """The first is the best, none scores above 1, and no contract is there twice."""
    hits = search.find("tata steel")
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1
    assert len({hit.instrument.key for hit in hits}) == len(hits)


HARD = [
    *(
        "N",
        "T",
        "TA",
        "TATA",
        "BAN",
        "CE",
        "2",
        "tata stel",
        "mahindar motrs",
        "NIFTY",
        "a b c d e f",
    ),
    *(
        "BANKNIFTY 29DEC26 52000 CE",
        "PE dec 26 nfo option 2026 29 put",
        "TATASTEEL29DEC",
        "limited",
    ),
    *("xyzzy plugh", "LIMTED", "TATASTEEEL" * 40, "A " * 300),
]


def slowest(search: Search, texts: list[str]) -> tuple[float, str]:
    """The most processor time that one of these takes, the better of two tries, and which it is."""
    spent = []
    for text in texts:
        tries = []
        for _ in range(2):
            begun = time.thread_time()
            search.find(text)
            tries.append(time.thread_time() - begun)
        spent.append((min(tries), text))
    return max(spent)


def test_it_is_quick_in_a_whole_market(whole_market: Path) -> None:
    """With a hundred thousand contracts no search holds the server up, whatever is typed."""
    search = Search([*BUNDLED, *read_contracts(whole_market, BUNDLED).current])
    assert slowest(search, HARD) < (CPU_SECONDS_MAX, "")


def test_it_is_quick_where_nothing_is_alike() -> None:
    """A hundred thousand shares with a name of its own each: as many words as there can be."""
    sbin = next(one for one in BUNDLED if one.symbol == "SBIN")
    letters = ["".join(word) for word in islice(permutations("AEIKLMNORST", 6), 100_000)]
    listed = [
        replace(
            sbin,
            key=f"NSE:{n}",
            token=n,
            symbol=w,
            trading_symbol=f"{w}-EQ",
            company=w[::-1],
            isin="",
        )
        for n, w in enumerate(letters, start=1)
    ]
    search = Search(listed)
    assert found(search, letters[777])[0] == "NSE:778"
    texts = [
        "A",
        "AE",
        "AEI",
        "AEIK",
        letters[500],
        letters[9] + "X",
        letters[-1][:5] + "ZZ",
        "EIKLMN AEI",
    ]
    assert slowest(search, texts) < (CPU_SECONDS_MAX, "")
