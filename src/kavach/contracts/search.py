"""
Search: ranked, forgiving, and quick however many contracts there are.

How well a word of the query fits a contract is a number, the smaller the better:

    0  it is a name of the contract        2  it is a word of the contract
    1  a name begins with it               3  a word begins with it
    4  it is a typing error away from a word: 1 letter wrong, missing, too many or exchanged, 2 in
       long words

Every word of the query must fit. The sum decides, then the order of ``words.order_of``: shares and
indices, futures, options; what expires first; short symbols. A query that is as a whole a name,
its blanks left out, counts as fitting by 0. Typing errors are looked for only where nothing fits
without. A word of one or two letters is completed to shares and indices alone.

Contracts are numbered in that order, and sets of them are bits of one large integer: however many
contracts a word stands for, an intersection takes microseconds. Words of many contracts have
their bits at hand; of the others at most ``POSTINGS_MAX`` numbers are gathered for a prefix. Of
words that may be a typing error away at most ``COMPARED_MAX`` are compared, those that begin alike
first. Trading symbols of derivatives are kept apart: they begin with the symbol, so that only who
types more than that needs them.

Source: docs/wire/contracts.md, "Search".
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from kavach.contracts.words import code_of, names_of, order_of, split, words_of
from kavach.instruments import Instrument

RESULTS_MAX: Final = 50
WORDS_MAX: Final = 8  # Of a query; further ones are not read.
WORD_LENGTH_MAX: Final = 40
POSTINGS_MAX: Final = 6_000
MANY: Final = 64  # A word of so many contracts has its bits at hand.
SHORT: Final = 2  # A prefix of so few letters is completed to shares and indices.
ERRORS_FROM: Final = 4  # Letters a word must have to have an error in it,
TWO_ERRORS_FROM: Final = 7  # or two.
CODES_MAX: Final = 500
COMPARED_MAX: Final = 12_000  # Words that are compared letter by letter.
FUZZY_WORDS_MAX: Final = 50
FITS: Final = 5  # How many ways to fit there are.


class Hit(NamedTuple):
    """A contract that was found, and how well it fits: 1 is best."""

    instrument: Instrument
    score: float


class Vocabulary:
    """Words, each with the numbers of its contracts."""

    def __init__(self, size: int, plain: int) -> None:
        self._size = size
        self._plain = plain  # Contracts below this number are shares and indices.
        self._numbers: dict[str, array[int]] = {}
        self._bits: dict[str, int] = {}  # Of words of many contracts.
        self._sorted: list[str] = []

    def add(self, words: Iterable[str], number: int) -> None:
        """Let a contract be found under these words; numbers increase."""
        numbers = self._numbers
        for word in words:
            own = numbers.get(word)
            if own is None:
                own = numbers[word] = array("I")
            own.append(number)

    def close(self) -> None:
        """Sort the words, when all are there."""
        self._sorted = sorted(self._numbers)
        for word, numbers in self._numbers.items():
            if len(numbers) >= MANY:
                self._bits[word] = self._gather((numbers,))

    def words(self) -> list[str]:
        """Return every word, sorted."""
        return self._sorted

    def exactly(self, word: str) -> int:
        """Return the contracts of a word."""
        bits = self._bits.get(word)
        if bits is not None:
            return bits
        numbers = self._numbers.get(word)
        return 0 if numbers is None else self._gather((numbers,))

    def beginning(self, prefix: str) -> int:
        """Return the contracts of every word that begins with this."""
        begin = bisect_left(self._sorted, prefix)
        end = bisect_left(self._sorted, prefix + "\x7f", begin)
        short = len(prefix) <= SHORT
        bits, few, left = 0, [], POSTINGS_MAX
        for word in self._sorted[begin : min(end, begin + POSTINGS_MAX)]:
            ready = self._bits.get(word)
            if ready is not None:
                bits |= ready
            elif left > 0:
                numbers = self._numbers[word]
                if short:
                    numbers = numbers[: bisect_left(numbers, self._plain)]
                few.append(numbers[:left])
                left -= len(numbers)
        bits |= self._gather(few)
        return bits & ((1 << self._plain) - 1) if short else bits

    def _gather(self, several: Iterable[Sequence[int]]) -> int:
        marks = bytearray(self._size // 8 + 1)
        for numbers in several:
            for number in numbers:
                marks[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(marks, "little")


class Codes:
    """Trading symbols of derivatives, each of one contract."""

    def __init__(self, codes: Iterable[tuple[str, int]]) -> None:
        self._codes = sorted(codes)

    def exactly(self, word: str) -> int:
        """Return the contract of a code."""
        return self._between(word, word + "\x00", 2)

    def beginning(self, prefix: str) -> int:
        """Return the contracts whose codes begin with this, as many as a search shows."""
        return 0 if len(prefix) <= SHORT else self._between(prefix, prefix + "\x7f", CODES_MAX)

    def _between(self, first: str, last: str, most: int) -> int:
        begin = bisect_left(self._codes, (first,))
        end = bisect_left(self._codes, (last,), begin)
        bits = 0
        for _, number in self._codes[begin : min(end, begin + most)]:
            bits |= 1 << number
        return bits


class Search:
    """Finds contracts by what people type."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments = order_of(instruments)
        size = len(self._instruments)
        plain = sum(1 for one in self._instruments if not one.option_type)
        self._names = Vocabulary(size, plain)
        self._words = Vocabulary(size, plain)
        codes: list[tuple[str, int]] = []
        for number, instrument in enumerate(self._instruments):
            self._names.add(names_of(instrument), number)
            self._words.add(words_of(instrument), number)
            if code := code_of(instrument):
                codes.append((code, number))
        self._codes = Codes(codes)
        self._names.close()
        self._words.close()
        self._alike: dict[tuple[int, str], list[str]] = {}  # Words by length and first letter.
        for word in self._words.words():
            if word.isalpha() and len(word) >= ERRORS_FROM:
                self._alike.setdefault((len(word), word[0]), []).append(word)

    def find(self, text: str, limit: int = RESULTS_MAX) -> list[Hit]:
        """Return the contracts that a text means, the best first."""
        words = [word[:WORD_LENGTH_MAX] for word in split(text[:500])[:WORDS_MAX]]
        if not words:
            return []
        fits = self._together([self._fits(word) for word in words])
        whole = "".join(words)
        fits[0] |= self._names.exactly(whole) | self._codes.exactly(whole)
        if not any(fits):
            fits = self._together([[*self._fits(word)[:-1], self._fuzzy(word)] for word in words])
        return self._best(fits, limit)

    def _fits(self, word: str) -> list[int]:
        """Return which contracts a word fits, by how well; typing errors are not looked for."""
        return [
            self._names.exactly(word) | self._codes.exactly(word),
            self._names.beginning(word) | self._codes.beginning(word),
            self._words.exactly(word),
            self._words.beginning(word),
            0,
        ]

    def _fuzzy(self, word: str) -> int:
        """Return the contracts of which a word is a typing error away from this one."""
        if len(word) < ERRORS_FROM:
            return 0
        errors = 2 if len(word) >= TWO_ERRORS_FROM else 1
        bits, left = 0, COMPARED_MAX
        for words in self._most_alike_first(word, errors):
            near = extract(
                word,
                words[:left],
                scorer=OSA.distance,
                processor=None,
                score_cutoff=errors,
                limit=FUZZY_WORDS_MAX,
            )
            for found, _, _ in near:
                bits |= self._words.exactly(found)
            left -= len(words)
            if left <= 0:
                break
        return bits

    def _most_alike_first(self, word: str, errors: int) -> list[list[str]]:
        """Return the words of about this length: those that begin alike, then all others."""
        lengths = range(len(word) - errors, len(word) + errors + 1)
        near = [key for key in self._alike if key[0] in lengths]
        near.sort(key=lambda key: (key[1] not in word[:2], key))
        return [self._alike[key] for key in near]

    def _together(self, by_word: list[list[int]]) -> list[int]:
        """Return which contracts every word fits, by the sum of how well; the smallest counts."""
        sums = [(1 << len(self._instruments)) - 1]
        for fits in by_word:
            longer = [0] * (len(sums) + FITS - 1)
            for fit, bits in enumerate(fits):
                if bits:
                    for total, before in enumerate(sums):
                        longer[total + fit] |= before & bits
            sums = longer
        return sums

    def _best(self, sums: list[int], limit: int) -> list[Hit]:
        hits: list[Hit] = []
        seen = 0
        for total, bits in enumerate(sums):
            left = bits & ~seen
            seen |= bits
            while left and len(hits) < limit:
                lowest = left & -left
                left ^= lowest
                hits.append(Hit(self._instruments[lowest.bit_length() - 1], 1 / (1 + total)))
        return hits
