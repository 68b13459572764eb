"""What a browser is told of each answer."""

import re

import pytest

from service_runtime.http.openapi_page import STYLE
from service_runtime.http.security_headers import style_source
from tests.unit.service_runtime import test_openapi

every_service = pytest.mark.parametrize("name", test_openapi.SERVICES)


@every_service
def test_the_docs_load_nothing_but_their_own_style_and_stand_in_no_frame(name: str) -> None:
    answer = test_openapi.app_of(name).test_client().get("/docs")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", style_source(STYLE)} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    (style,) = re.findall(r"<style>(.*?)</style>", answer.get_data(as_text=True), re.DOTALL)
    assert style == STYLE
    assert " style=" not in answer.get_data(as_text=True)


@every_service
def test_every_answer_says_that_its_type_is_what_it_says(name: str) -> None:
    client = test_openapi.app_of(name).test_client()
    for path in ("/healthz", "/metrics", "/docs", "/openapi.json", "/nowhere"):
        assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_loads_only_from_its_own_service_and_stands_in_no_frame() -> None:
    client = test_openapi.app_of("market_data_feed").test_client()
    answer = client.get("/")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    html = answer.get_data(as_text=True)
    assert " style=" not in html and "<style" not in html
    assert not re.search(r"<script(?![^>]* src=)", html), "a script in the markup would be blocked"
    assert not re.search(r"\son\w+=", html), "so would a handler in an attribute"


def test_no_file_of_the_page_writes_what_the_policy_blocks() -> None:
    client = test_openapi.app_of("market_data_feed").test_client()
    for name in ("page.js", "book.js", "drawing.js", "freshness.js"):
        text = client.get(f"/page/{name}").get_data(as_text=True)
        assert 'style="' not in text and "eval(" not in text, name
