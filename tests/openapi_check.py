"""Whether a JSON value fits a schema of an OpenAPI document, for the keywords that we use."""

from typing import Any

_KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def faults(
    schema: dict[str, Any], value: Any, document: dict[str, Any], at: str = "$"
) -> list[str]:
    """Where the value differs from the schema; unknown names are faults too."""
    if "$ref" in schema:
        return faults(resolved(schema["$ref"], document), value, document, at)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            attempts = [faults(each, value, document, at) for each in schema[word]]
            return [] if [] in attempts else min(attempts, key=len)
    kinds = schema.get("type", list(_KINDS))
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not any(_is(value, kind) for kind in kinds):
        return [f"{at}: {value!r} is no {' or '.join(kinds)}"]
    found = (
        [f"{at}: {value!r} is not in the list"] if value not in schema.get("enum", [value]) else []
    )
    if isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
        found += _faults_of_object(schema, value, document, at)
    if isinstance(value, list) and "items" in schema:
        found += [
            fault
            for n, each in enumerate(value)
            for fault in faults(schema["items"], each, document, f"{at}[{n}]")
        ]
    return found


def resolved(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    """The schema that a `#/…` reference names; KeyError if there is none."""
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    assert isinstance(found, dict)
    return found


def _faults_of_object(
    schema: dict[str, Any], value: dict[str, Any], document: dict[str, Any], at: str
) -> list[str]:
    known = schema.get("properties", {})
    other = schema.get("additionalProperties")
    found = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
    for name, each in value.items():
        inner = known.get(name, other if isinstance(other, dict) else None)
        found += (
            [f"{at}.{name} is not documented"]
            if inner is None
            else faults(inner, each, document, f"{at}.{name}")
        )
    return found


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _KINDS[kind])
