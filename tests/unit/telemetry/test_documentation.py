"""What operators read is what the program does."""

import asyncio
import re
from pathlib import Path

from kavach.core.events import Alarm
from kavach.telemetry.metrics import METRICS, Kind, Metric
from kavach.telemetry.telemetry import PATHS, Telemetry
from tests.unit.core.scenario import Scene
from tests.unit.telemetry.reading import Figures

PAGE = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")


def row(metric: Metric) -> str:
    """Return a metric's line in the page's table."""
    labels = " " + ", ".join(f"`{label}`" for label in metric.labels) if metric.labels else ""
    return f"| `{metric.name}` | {metric.kind.value} |{labels} | {metric.meaning} |"


def test_the_table_of_metrics_is_the_table_of_the_program() -> None:
    """The page has a line for each metric, in the same words and order, and no other."""
    table = [line for line in PAGE.splitlines() if re.match(r"\| `kavach_\w+` \| \w+ \|", line)]
    assert table == [row(metric) for metric in METRICS]


def scraped() -> Figures:
    """Return what is told after an order and a request."""
    scene = Scene()
    telemetry = Telemetry(scene.engine)

    async def application(scope: object, receive: object, send: object) -> None:
        """Leave every request unanswered."""

    app = telemetry.around(application, [])
    asyncio.run(app({"type": "http", "method": "GET", "path": "/"}, None, None))  # type: ignore[arg-type]
    scene.tell("place 100 @ 13 stop 12")
    return Figures(telemetry.exposition().decode())


def test_a_scrape_has_every_metric_and_no_other() -> None:
    """Names, kinds and labels are those of the table; what is more is of the process."""
    seen = scraped()
    ours = {name: kind for name, kind in seen.kinds.items() if not name.startswith("process_")}
    assert ours == {metric.name: metric.kind.value for metric in METRICS}
    for metric in METRICS:
        suffix = "_count" if metric.kind is Kind.HISTOGRAM else ""
        labels = [
            {name for name, _ in labels}
            for sample, labels in seen.samples
            if sample == metric.name + suffix
        ]
        assert labels and all(found == set(metric.labels) for found in labels), metric.name


def test_the_buckets_are_those_of_the_page() -> None:
    """Who has written a query with a bound finds that bound: all of them, and no other."""
    bounds: dict[str, set[float]] = {}
    for name, labels in scraped().samples:
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"])
            bounds.setdefault(name.removesuffix("_bucket"), set()).add(bound)
    told = re.findall(r"^\| `(kavach_\w+)` \| ([0-9., ]+) \|$", PAGE, re.MULTILINE)
    page = {name: {*map(float, line.split(", ")), float("inf")} for name, line in told}
    assert page == bounds
    assert set(page) == {one.name for one in METRICS if one.kind is Kind.HISTOGRAM}


def test_the_page_names_everything_else_that_is_to_be_known() -> None:
    """Every alarm, every path and every metric that an alert is about is there."""
    for alarm in Alarm:
        assert f"`{alarm.value}`" in PAGE, alarm
    for path in PATHS:
        assert f"`GET {path}`" in PAGE, path
    alerts = set(re.findall(r"kavach_\w+", PAGE))
    names = {metric.name for metric in METRICS} | {
        f"{metric.name}_bucket" for metric in METRICS if metric.kind is Kind.HISTOGRAM
    }
    assert alerts <= names


def test_links_within_the_page_lead_somewhere() -> None:
    """Every anchor that is linked to is a heading of the page."""
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links and links <= headings, links - headings
