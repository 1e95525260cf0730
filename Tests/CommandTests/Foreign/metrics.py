"""Reads pages of metrics with Prometheus' own parsers, which are stricter than Prometheus.

metrics.py check ADDRESS        both formats are well-formed, and have the same samples
metrics.py watch ADDRESS COUNT  no counter falls from one of COUNT pages to the next
"""
import http.client
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TEXT = "text/plain; version=0.0.4"


def get(connection, accept):
    connection.request("GET", "/metrics", headers={"Accept": accept})
    response = connection.getresponse()
    body = response.read().decode("utf-8")
    assert response.status == 200, response.status
    content_type = response.getheader("Content-Type")
    assert content_type == f"{accept}; charset=utf-8", content_type
    return body


def samples(families):
    found = {}
    for family in families:
        assert family.documentation, f"{family.name} has no help"
        for sample in family.samples:
            labels = dict(sample.labels)
            # The formats write bounds differently.
            if "le" in labels:
                labels["le"] = float(labels["le"])
            key = (sample.name, tuple(sorted(labels.items())))
            # The parsers let these pass.
            assert key not in found, f"{key} is there twice"
            found[key] = (sample.value, family.type)
    return found


def check(connection):
    openmetrics = samples(parse_openmetrics(get(connection, OPENMETRICS)))
    text = samples(parse_text(get(connection, TEXT)))
    # One method with one status has about 80.
    assert len(text) > 80, "there are few samples"
    assert openmetrics.keys() == text.keys(), openmetrics.keys() ^ text.keys()
    for key, (value, _) in text.items():
        # What may change between two pages.
        if not key[0].startswith("process_"):
            assert openmetrics[key][0] == value, f"{key}: {openmetrics[key][0]} and {value}"
    print(len(text))


def raw_samples(text):
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            key, value = line.rsplit(" ", 1)
            assert key not in found, f"{key} is there twice"
            found[key] = float(value)
    return found


def watch(connection, count):
    grows = ("_total{", "_count{", "_sum{", "_bucket{")
    last = {}
    for _ in range(count):
        now = raw_samples(get(connection, TEXT))
        for key, value in last.items():
            if any(end in key for end in grows):
                assert now.get(key, -1) >= value, f"{key} fell from {value} to {now.get(key)}"
        last = now
    numbers = [value for key, value in last.items() if key.startswith("sum_server_numbers_total{")]
    print(f"{sum(numbers):.0f}")


def main():
    command, address, *rest = sys.argv[1:]
    connection = http.client.HTTPConnection(address, timeout=60)
    if command == "check":
        check(connection)
    else:
        watch(connection, int(rest[0]))


main()
