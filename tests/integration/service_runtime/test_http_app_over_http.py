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


def test_readiness_names_what_it_waits_for_while_health_stays_good(sample: SampleService) -> None:
    assert requests.get(sample.url("/readyz"), timeout=5).status_code == 200
    requests.post(sample.url("/unready"), timeout=5)
    answer = requests.get(sample.url("/readyz"), timeout=5)
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert answer.json()["error"]["details"] == {"waiting_for": ["part"]}
    assert sample.is_alive()
