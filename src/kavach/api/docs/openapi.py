"""
OpenAPI 3.1, generated: routes from the route table, shapes from the messages of the wire.

Source: docs/wire/README.md; kavach.api.gateway.refusals.
"""

from typing import Any, Final

import msgspec

from kavach import __version__
from kavach.api.docs.tags import EXAMPLES, TAGS, tag_of
from kavach.api.gateway.refusals import REFUSALS
from kavach.api.gateway.route import Query, Route
from kavach.api.http.options import ApiOptions
from kavach.api.routes.every_route import ROUTES
from kavach.wire import headers
from kavach.wire.errors import ErrorBody
from kavach.wire.orders.answers import DocumentedHistory, HistoryAnswer

_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_ZIP: Final = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_IN_OWN_ENVELOPE: Final = ("400", "404")
_STATUSES: Final = {
    "400": "Something in the request, or about the order, does not allow it.",
    "401": "No access token, or not one of ours.",
    "403": "The request names another account than the token's.",
    "404": "No such order of this account, or no such route.",
    "405": "The route has no such method.",
    "408": "The request took too long to arrive.",
    "413": "The body exceeds 64 kB.",
    "429": "Too many requests, or wrong guesses; Retry-After says when there is room again.",
    "431": "The head exceeds 16 kB or 100 lines.",
    "503": "UNKNOWN: the journal fails, what was asked may be kept or not. PAUSED, BUSY: not done.",
}


def openapi_json(options: ApiOptions) -> bytes:
    """Return the document that describes the API under these switches."""
    return msgspec.json.encode(openapi(options))


def openapi(options: ApiOptions) -> dict[str, Any]:
    """Return the document as plain data."""
    answers = [_answer_type(route, options) for route in ROUTES]
    requests = list(dict.fromkeys(kind for route in ROUTES for kind in route.messages))
    errors = [route.error for route in ROUTES if route.error is not None]
    types = [ErrorBody, *requests, *answers, *errors]
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(map(str, types), refs, strict=True))
    for request in requests:
        components[request.__name__]["required"] = list(request.required)
    paths: dict[str, dict[str, Any]] = {}
    for route, answer in zip(ROUTES, answers, strict=True):
        operation = _operation(route, schema_of, schema_of[str(answer)])
        if route.error is not None:
            _add_errors(operation, [schema_of[str(route.error)], schema_of[str(ErrorBody)]])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kavach",
            "version": __version__,
            "description": "Cover orders that are never naked, over Pocketful's trading API.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [{"bearer": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": _error_responses(schema_of[str(ErrorBody)], options),
            "headers": _headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {"type": "apiKey", "in": "header", "name": headers.TOKEN},
            },
        },
    }


def _answer_type(route: Route, options: ApiOptions) -> Any:
    if options.documented_history and route.answer == HistoryAnswer:
        return DocumentedHistory
    return route.answer


def _operation(route: Route, schema_of: dict[str, Any], answer: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [tag_of(route.path)],
        "summary": route.summary,
        "parameters": [*_parameters(route), *map(_query_parameter, route.query)],
        "responses": {
            "200": {
                "description": "Done, or under way.",
                "headers": _used_headers(route),
                "content": _ZIP if route.answer is bytes else {_JSON: {"schema": answer}},
            },
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _STATUSES},
        },
    }
    if route.is_open:
        operation["security"] = []
    if route.request is not None:
        operation["requestBody"] = {
            "required": route.method != "DELETE",  # A cancel may travel in the query.
            "content": {_JSON: _request_content(route, schema_of)},
        }
    return operation


def _add_errors(operation: dict[str, Any], shapes: list[dict[str, Any]]) -> None:
    """Say that what is wrong with a request may be told in another envelope than A."""
    names = (headers.REQUEST_ID, headers.ERROR_REASON)
    for status in _IN_OWN_ENVELOPE:
        operation["responses"][status] = {
            "description": _STATUSES[status],
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
            "content": {_JSON: {"schema": {"anyOf": shapes}}},
        }


def _request_content(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": _request_schema(route, schema_of)}
    example = EXAMPLES.get(route.name)
    return content if example is None else content | {"example": example}


def _request_schema(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    """Return the message that a route takes, or those of which it takes one."""
    schemas = [schema_of[str(kind)] for kind in (route.request, *route.other_requests)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in route.path_names:
        schema = {"type": "string"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if route.repeatable:
        key = {
            "type": "string",
            "minLength": 1,
            "maxLength": headers.IDEMPOTENCY_KEY_LENGTH_MAX,
            "pattern": "^[!-~]([ -~]*[!-~])?$",  # Printable ASCII.
        }
        found.append(
            {
                "name": headers.IDEMPOTENCY_KEY,
                "in": "header",
                "description": "The same key and request again gets the first answer again.",
                "schema": key,
            }
        )
    return found


def _query_parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if query.words:
        schema["enum"] = list(query.words)
    return {
        "name": query.name,
        "in": "query",
        "required": query.required,
        "description": query.description,
        "schema": schema,
    }


def _used_headers(route: Route) -> dict[str, Any]:
    names = [headers.REQUEST_ID]
    if route.repeatable:
        names += [headers.ORDER_STATE, headers.IDEMPOTENT_REPLAY]
    names += route.headers
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _headers() -> dict[str, Any]:
    meanings = {
        headers.REQUEST_ID: "One for each answer.",
        headers.ORDER_STATE: "Where the cover order stands.",
        headers.ERROR_REASON: "A stable word for the reason.",
        headers.IDEMPOTENT_REPLAY: "true: the answer to an earlier request.",
        headers.BASKET_ORDERS: "What became of each order of an executed basket.",
        headers.IDEMPOTENCY_KEY: "The key by which the order was looked for.",
    }
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in meanings.items()
    }


def _error_responses(schema: Any, options: ApiOptions) -> dict[str, Any]:
    """Return each error with the words that ``X-Error-Reason`` can hold and their texts."""
    texts: dict[str, list[str]] = {}
    for entry in REFUSALS.values():
        line = f"{entry.code.value} {entry.word}: {entry.text}"
        texts.setdefault(str(entry.status), []).append(line)
    used = (headers.REQUEST_ID, headers.ERROR_REASON)
    return {
        status: {
            "description": "\n\n".join(
                [
                    meaning
                    + (" (sent under 200)" if options.errors_as_200 and status < "5" else ""),
                    *sorted(set(texts.get(status, []))),
                ]
            ),
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in used},
            "content": {"application/json": {"schema": schema}},
        }
        for status, meaning in _STATUSES.items()
    }
