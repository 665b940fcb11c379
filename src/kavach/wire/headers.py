"""
Names of the headers in which we say what the documented bodies have no key for.

Source: docs/wire/README.md, "Decisions"; docs/wire/README.md, "Headers".
"""

from typing import Final

REQUEST_ID: Final = "X-Request-Id"  # One for each answer; quote it in a complaint.
ORDER_STATE: Final = "X-Order-State"  # Where the cover order stands, e.g. EXITING.
ERROR_REASON: Final = "X-Error-Reason"  # A stable word, e.g. ENTRY_ALREADY_EXECUTED.
IDEMPOTENT_REPLAY: Final = "X-Idempotent-Replay"  # "true": the answer to an earlier request.
BASKET_ORDERS: Final = "X-Basket-Orders"  # What became of each order of an executed basket.
IDEMPOTENCY_KEY: Final = "Idempotency-Key"  # Sent by the client.
TOKEN: Final = "x-authorization-token"  # Sent by the client, without a prefix.

IDEMPOTENCY_KEY_LENGTH_MAX: Final = 255
