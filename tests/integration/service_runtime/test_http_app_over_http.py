"""What every Flask service answers, over HTTP."""

import requests

from tests.integration.service_runtime.sample_process import SampleService


def test_health_says_who_is_alive(lasting_sample: SampleService) -> None:
    assert requests.get(lasting_sample.url("/healthz"), timeout=5).json() == {
        "status": "alive",
        "service": "sample",
    }


def test_metrics_are_prometheus_text(lasting_sample: SampleService) -> None:
    requests.get(lasting_sample.url("/refused"), timeout=5)
    answer = requests.get(lasting_sample.url("/metrics"), timeout=5)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'venue_refusals_total{code="request.invalid_field"}' in answer.text


def test_every_request_is_counted_by_its_route_and_a_stranger_can_invent_none(
    sample: SampleService,
) -> None:
    requests.get(sample.url("/refused"), timeout=5)
    requests.post(sample.url("/native"), data=b"x", timeout=5)
    for number in range(3):
        requests.get(sample.url(f"/invented/{number}"), timeout=5)
    text = requests.get(sample.url("/metrics"), timeout=5).text
    counted = {line for line in text.splitlines() if line.startswith("venue_http_requests_total{")}
    counted = {line for line in counted if "/healthz" not in line}
    assert counted == {
        'venue_http_requests_total{method="GET",route="/refused",status="400"} 1.0',
        'venue_http_requests_total{method="POST",route="/native",status="200"} 1.0',
        'venue_http_requests_total{method="GET",route="unknown",status="404"} 3.0',
    }
    assert 'venue_http_request_seconds_count{route="unknown"} 3.0' in text


def test_readiness_names_what_it_waits_for_while_health_stays_good(sample: SampleService) -> None:
    assert requests.get(sample.url("/readyz"), timeout=5).status_code == 200
    requests.post(sample.url("/unready"), timeout=5)
    answer = requests.get(sample.url("/readyz"), timeout=5)
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert answer.json()["error"]["details"] == {"waiting_for": ["part"], "degraded": []}
    assert sample.is_alive()
