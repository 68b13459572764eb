"""The page at `/docs`: an OpenAPI document as plain HTML, no script, nothing from elsewhere."""

import json
from html import escape
from typing import Any

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
:root { color-scheme: light dark; }
summary { cursor: pointer; padding: .3rem 0; }
summary b { display: inline-block; min-width: 4.5rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; border-radius: 6px; }
details { border-bottom: 1px solid #8884; }
details > div { padding: 0 0 .8rem 1.2rem; }
.who { opacity: .7; }
td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
"""


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    info = document["info"]
    title = escape(info["title"])
    operations = "".join(
        _operation(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    )
    schemas = "".join(
        f"<details><summary><code>{escape(name)}</code></summary>"
        f"<div>{_json(schema)}</div></details>"
        for name, schema in document["components"]["schemas"].items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{title}</title><style>{STYLE}</style>"
        f"<h1>{title}</h1><p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="/openapi.json">openapi.json</a> '
        f"(OpenAPI {escape(document['openapi'])}).</p>"
        f"{operations}<h2>Schemas</h2>{schemas}</html>"
    )


def _operation(method: str, path: str, described: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td>{escape(parameter.get('description', ''))}</td></tr>"
        for parameter in described["parameters"]
    )
    inside = (
        f'<p class="who">{escape(described["description"])}</p>' if described["description"] else ""
    )
    inside += f"<table>{rows}</table>" if rows else ""
    if "requestBody" in described:
        inside += f"<p>Body</p>{_content(described['requestBody']['content'])}"
    for status, answer in described["responses"].items():
        if status != "default":
            inside += f"<p>{escape(status)}</p>{_content(answer['content'])}"
    summary = f"<b>{method}</b> <code>{escape(path)}</code> {escape(described['summary'])}"
    return f"<details><summary>{summary}</summary><div>{inside}</div></details>"


def _content(content: dict[str, Any]) -> str:
    return "".join(
        _json(media["example"]) if "example" in media else f"<p>{escape(kind)}</p>"
        for kind, media in content.items()
    )


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=1, ensure_ascii=False))}</pre>"
