"""The page of the API in a real browser: everything is shown, and a call can be made."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from kavach.api.routes.every_route import ROUTES
from tests.twin_server import TwinServer, running

SECONDS = 30_000  # Milliseconds; the first page of a browser takes long on a busy machine.


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinServer]:
    """A twin without quotes."""
    with running("--data-dir", ":memory:") as server:
        yield server


def test_every_operation_is_shown(twin: TwinServer, page: Page) -> None:
    """As many as there are routes, each under its name, and nothing comes from elsewhere."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{twin.url}/docs")
    expect(page.locator(".opblock")).to_have_count(len(ROUTES), timeout=SECONDS)
    for route in ROUTES:
        assert page.locator(f"[id$='-{route.name}']").count() == 1, route.name
    assert all(url.startswith((twin.url, "data:")) for url in asked), asked


def test_a_cover_order_is_placed_from_the_page(twin: TwinServer, page: Page) -> None:
    """With the token, the example as it stands: the answer is shown, and the order is there."""
    page.goto(f"{twin.url}/docs")
    page.get_by_role("button", name="Authorize").first.click(timeout=SECONDS)
    page.locator("#auth-bearer-value").fill(twin.access_token)
    page.locator("form", has=page.locator("#auth-bearer-value")).get_by_role(
        "button", name="Apply credentials"
    ).click()
    page.get_by_role("button", name="Close").first.click()
    operation = page.locator("[id$='-placeConditionalOrder']")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    expect(
        operation.locator(".live-responses-table tbody .response-col_status").first
    ).to_contain_text("200", timeout=SECONDS)
    book = twin.http.get("/api/v1/orders?type=pending").json()["data"]["orders"]
    assert [(row["user_order_id"], row["quantity"]) for row in book] == [("10001", 10)]
