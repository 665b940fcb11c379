"""
Switches of the wire: where servers of this family differ, which of them to be like.

Source: docs/wire/README.md, "Decisions"; docs/wire/README.md, "Switches".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """How to answer; the defaults are what the documents and most clients agree on."""

    errors_as_200: bool = False  # Refusals travel under HTTP 200, for clients that look no further.
    error_type: bool = False  # Adds ``error_type``, which makes the official SDK raise.
    blank_basket_id: bool = False  # Modify and cancel answer an empty basket id.
    wait_seconds: float = 0.25  # How long an answer waits for the venue to decide (W_http).
    documented_history: bool = False  # Order history nested as printed, not flat as served.
    enveloped_updates: bool = False  # Updates of the feed in envelope B, as one page prints them.
    cors: tuple[str, ...] = ()  # Origins whose pages browsers let use the API; "*": all.
