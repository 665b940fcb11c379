"""
Every metric in one table, and how counts become what Prometheus reads.

The table is the specification: ``docs/operating.md`` shows it to operators, and a test holds the
two equal. No label ever holds a client, a token or an order, so the number of series is bounded
and whoever may look at the figures learns nothing of anybody's business.

Times are counted in nanoseconds and told in seconds, as Prometheus has it.

Source: docs/operating.md, "Metrics".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from kavach.telemetry.histogram import Histogram
from kavach.units import NS_PER_SECOND


class Kind(StrEnum):
    """What a metric does: only grow, go up and down, or count by size."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, labels, meaning)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, labels, meaning)


def _histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, labels, meaning)


COVER_ORDERS: Final = _gauge("kavach_cover_orders", "Living cover orders by state", "state")
ENDED: Final = _counter("kavach_cover_orders_ended_total", "Cover orders that ended", "state")
REOPENED: Final = _counter(
    "kavach_cover_orders_reopened_total", "Ended cover orders that a late fill brought back"
)
REGULAR_ORDERS: Final = _gauge("kavach_regular_orders", "Living regular orders by state", "state")
REGULAR_ENDED: Final = _counter(
    "kavach_regular_orders_ended_total", "Regular orders that ended", "state"
)
COMMANDS: Final = _counter(
    "kavach_commands_total",
    "Steps of the engine by their cause, and accepted, replayed or the reason of the refusal",
    "command",
    "outcome",
)
NAKED: Final = _histogram(
    "kavach_naked_seconds", "How long a position was not wholly protected, once that was over"
)
NAKED_NOW: Final = _gauge("kavach_naked_orders", "Cover orders not wholly protected now")
NAKED_NOW_MAX: Final = _gauge(
    "kavach_naked_now_seconds_max", "The longest time that one of those has been so; 0: none"
)
NAKED_EVER_MAX: Final = _gauge(
    "kavach_naked_ever_seconds_max", "The longest time ever that is over, restarts included"
)
NAKED_REAL_MAX: Final = _gauge(
    "kavach_naked_real_seconds_max", "The longest time ever, over or not, in real time"
)
ALARMS: Final = _counter("kavach_alarms_total", "Alarms about an order", "alarm")
IN_DOUBT: Final = _gauge(
    "kavach_orders_in_doubt", "Venue orders with a request whose outcome is unknown now"
)
DOUBTED: Final = _counter(
    "kavach_orders_doubted_total", "Requests that the venue did not answer in time"
)
VENUE_TRIP: Final = _histogram(
    "kavach_venue_round_trip_seconds",
    "From a request to the venue until its answer, in the engine's time",
    "request",
)
VENUE_UP: Final = _gauge("kavach_venue_up", "1 while the venue can be reached, else 0")
COMMIT: Final = _histogram(
    "kavach_journal_commit_seconds", "From a record until it is on disk, one record at a time"
)
BATCH: Final = _histogram("kavach_journal_batch_records", "Records that came to disk together")
QUEUE: Final = _gauge("kavach_journal_queue_records", "Records that are not on disk yet")
JOURNAL_UP: Final = _gauge("kavach_journal_up", "1 while the journal takes records, else 0")
STOPPED: Final = _gauge("kavach_engine_stopped", "1 once a step broke off, else 0")
AUDITS: Final = _counter("kavach_audits_total", "Audits that the control room was asked for")
VIOLATIONS: Final = _gauge(
    "kavach_invariant_violations", "What the last audit found wrong; 0 before the first"
)
REQUESTS: Final = _counter(
    "kavach_http_requests_total",
    "Requests by their answer; status none: the client left before it",
    "method",
    "route",
    "status",
)
LATENCY: Final = _histogram(
    "kavach_http_request_seconds", "From a request until its answer was sent", "method", "route"
)
FEED_READERS: Final = _gauge("kavach_feed_connections", "Connections to the feed now")
FEED_SENT: Final = _counter(
    "kavach_feed_sent_total", "Market packets and updates that were handed to a connection"
)
FEED_CONFLATED: Final = _counter(
    "kavach_feed_conflated_total", "Market packets in whose place a slow reader gets a newer one"
)
FEED_CLOSED: Final = _counter(
    "kavach_feed_closed_total", "Connections to the feed that we have closed", "reason"
)
FEED_REFUSED: Final = _counter(
    "kavach_feed_refused_total", "Connections to the feed that were not let in", "reason"
)
BUILD: Final = _gauge("kavach_build", "Always 1; which version this is", "version")

METRICS: Final = (
    COVER_ORDERS,
    ENDED,
    REOPENED,
    REGULAR_ORDERS,
    REGULAR_ENDED,
    COMMANDS,
    NAKED,
    NAKED_NOW,
    NAKED_NOW_MAX,
    NAKED_EVER_MAX,
    NAKED_REAL_MAX,
    ALARMS,
    IN_DOUBT,
    DOUBTED,
    VENUE_TRIP,
    VENUE_UP,
    COMMIT,
    BATCH,
    QUEUE,
    JOURNAL_UP,
    STOPPED,
    AUDITS,
    VIOLATIONS,
    REQUESTS,
    LATENCY,
    FEED_READERS,
    FEED_SENT,
    FEED_CONFLATED,
    FEED_CLOSED,
    FEED_REFUSED,
    BUILD,
)

Labels = tuple[str, ...]


def counts(metric: Metric, values: Iterable[tuple[Labels, float]]) -> Family:
    """Return a counter or a gauge with one value for each combination of labels."""
    assert metric.kind is not Kind.HISTOGRAM, metric.name
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind is Kind.COUNTER:
        family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    else:
        family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def count(metric: Metric, value: float) -> Family:
    """Return a counter or a gauge that has no labels."""
    return counts(metric, [((), value)])


def seconds(metric: Metric, value_ns: int) -> Family:
    """Return a gauge of a time."""
    return count(metric, value_ns / NS_PER_SECOND)


def sizes(
    metric: Metric, values: Iterable[tuple[Labels, Histogram]], unit: int = NS_PER_SECOND
) -> Family:
    """Return histograms; ``unit`` of what they counted is 1 of what is told."""
    assert metric.kind is Kind.HISTOGRAM, metric.name
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, histogram in values:
        buckets = [
            ("+Inf" if bound is None else repr(bound / unit), float(number))
            for bound, number in histogram.cumulative()
        ]
        family.add_metric(labels, buckets, histogram.total / unit)
    return family
