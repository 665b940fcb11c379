"""The description of the API tells what is served: every route, shape and error."""

import re
from typing import Any

import pytest

from kavach.api.docs.openapi import openapi
from kavach.api.gateway.refusals import REFUSALS
from kavach.api.http.options import ApiOptions
from kavach.api.routes.every_route import ROUTES
from kavach.wire.exact import exact
from tests.unit.api.world import BEARER, World

METHODS = {"get", "post", "put", "delete"}
REQUESTS = list(dict.fromkeys(kind for route in ROUTES for kind in route.messages))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document under the default switches."""
    return openapi(ApiOptions())


def walk(node: Any) -> list[dict[str, Any]]:
    """Return every object in a document."""
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in walk(value))]
    if isinstance(node, list):
        return [found for value in node for found in walk(value)]
    return []


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    """The parts that the standard demands are there, and named as it demands."""
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    names = [name for kind in document["components"].values() for name in kind]
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in names)
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in METHODS
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) == len(ROUTES)
    for operation in operations:
        assert all("description" in r or "$ref" in r for r in operation["responses"].values())


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No ``$ref`` points at nothing, and no schema is left over."""
    used = {node["$ref"] for node in walk(document) if "$ref" in node}
    for reference in used:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert schemas <= used


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_told(document: dict[str, Any], route: Any) -> None:
    """Path, parameters, body and all errors of each route."""
    operation = document["paths"][route.path][route.method.lower()]
    assert {"200", "400", "401", "403", "404", "405", "413", "503"} <= set(operation["responses"])
    in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", route.path))
    assert ("requestBody" in operation) == (route.request is not None)


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_field_is_told(document: dict[str, Any], kind: Any) -> None:
    """Each field of a request has a shape and a meaning, and the required ones say so."""
    schema = document["components"]["schemas"][kind.__name__]
    assert list(schema["properties"]) == list(kind.__struct_fields__)
    assert schema["required"] == list(kind.required)
    for field in schema["properties"].values():
        assert field["description"]
        assert field["description"] == "Not read." or field.keys() & {"type", "$ref"}


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_word_that_is_told_is_read(document: dict[str, Any], kind: Any) -> None:
    """No field is described by a word that its reader refuses."""
    for name, field in document["components"]["schemas"][kind.__name__]["properties"].items():
        for word in field.get("enum", ()):
            assert getattr(exact(kind(**{name: word})), name) is not None


def test_every_error_is_told(document: dict[str, Any]) -> None:
    """The texts and words of all refusals stand under their status."""
    responses = document["components"]["responses"]
    for entry in REFUSALS.values():
        assert entry.word in responses[str(entry.status)]["description"]
        assert entry.text in responses[str(entry.status)]["description"]


def test_switches_change_the_document() -> None:
    """What is described is what these switches serve."""
    other = openapi(ApiOptions(documented_history=True))
    path = other["paths"]["/api/v1/order/{oms_order_id}/history"]["get"]
    schema = path["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("/DocumentedHistory")


def test_it_is_served_with_a_page(calm: World, document: dict[str, Any]) -> None:
    """Both without a token; the page fetches nothing from elsewhere."""
    served = calm.http.get("/openapi.json")
    assert served.headers["content-type"] == "application/json"
    assert served.json() == document
    page = calm.http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", page.text)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert calm.http.get(path).status_code == 200, path
    icon = calm.http.get("/favicon.ico")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert calm.http.get("/static/vendored.json").status_code == 404


def test_examples_are_taken_as_they_stand(calm: World, document: dict[str, Any]) -> None:
    """What the page offers to send is accepted by a twin that has just begun."""
    operations = [
        (path, method, one)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    ]
    examples = [
        (path, method, one["requestBody"]["content"]["application/json"]["example"])
        for path, method, one in operations
        if "example" in one.get("requestBody", {}).get("content", {}).get("application/json", {})
    ]
    assert len(examples) == 2
    for path, method, example in examples:
        answer = calm.http.request(method, path, json=example, headers=BEARER)
        assert answer.status_code == 200, answer.text


def test_every_operation_has_a_group(document: dict[str, Any]) -> None:
    """One of those that the document describes."""
    groups = {tag["name"] for tag in document["tags"]}
    used = [one["tags"] for methods in document["paths"].values() for one in methods.values()]
    assert {tag for tags in used for tag in tags} == groups
    assert all(len(tags) == 1 for tags in used)
