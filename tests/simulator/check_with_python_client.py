#!/usr/bin/env python3
"""Reads a running simulator with a client that nobody here wrote: the PyPI package cortex-xdr-client.

Setting up (in a virtual environment; this script installs nothing):

    python3 -m venv venv && venv/bin/pip install cortex-xdr-client==2.0.0

Running, with a simulator that is started and stopped here:

    venv/bin/python tests/simulator/check_with_python_client.py -- cargo run -p cortex-xdr-simulator --example serve

or with one that runs already, whose first line went into a file:

    cargo run -- simulate > simulator.json &
    venv/bin/python tests/simulator/check_with_python_client.py simulator.json

The argument is a file (or `-`) whose first line is the JSON object that the simulator prints: url, apiKeyId, apiKey,
securityLevel. The exit code is 0 when everything matches, 1 when something does not, 2 when it could not be tried.
"""

import json
import subprocess
import sys

try:
    from cortex_xdr_client.api.authentication import Authentication, AuthenticationType
    from cortex_xdr_client.api.models.alerts import AlertSeverity
    from cortex_xdr_client.api.models.endpoints import EndpointPlatform, EndpointStatus
    from cortex_xdr_client.client import CortexXDRClient
except ImportError as missing:
    print(f"{missing}: pip install cortex-xdr-client==2.0.0", file=sys.stderr)
    sys.exit(2)

PAGE = 100


def check(holds, what):
    if not holds:
        print(f"MISMATCH: {what}", file=sys.stderr)
        sys.exit(1)
    print(f"ok: {what}")


def connect(hello):
    levels = {"advanced": AuthenticationType.ADVANCED, "standard": AuthenticationType.STANDARD}
    auth = Authentication(hello["apiKey"], int(hello["apiKeyId"]), levels[hello["securityLevel"]])
    client = CortexXDRClient(auth, "simulator.invalid")
    # The client insists on https and on a name that starts with "api-"; only its base address is replaced.
    for api in (client.endpoints_api, client.alerts_api, client.xql_api, client.incidents_api, client.system_api):
        api._base_url = hello["url"]
    return client


def pages(read):
    """All rows of a paged call, until a page is short."""
    rows = []
    while True:
        page = read(len(rows), len(rows) + PAGE)
        rows.extend(page)
        if len(page) < PAGE:
            return rows


def check_endpoints(client):
    api = client.endpoints_api
    first = api.get_endpoint(search_from=0, search_to=1).reply
    check(first.result_count == 1 and first.total_count > PAGE, f"{first.total_count} endpoints, one on the page")
    sort = {"field": "first_seen", "keyword": "ASC"}
    rows = pages(lambda start, end: api.get_endpoint(search_from=start, search_to=end, sort=sort).reply.endpoints)
    ids = {row.endpoint_id for row in rows}
    check(len(rows) == len(ids) == first.total_count, "all pages together are the total, without repeats")
    times = [row.first_seen for row in rows]
    check(times == sorted(times), "endpoints come in the order of first_seen")
    brief = api.get_all_endpoints().reply
    check({row.agent_id for row in brief} == ids, "get_endpoints lists the same ids")
    check(all(row.ip for row in rows), "every endpoint has an address")

    counts = {}
    for status in EndpointStatus:
        found = api.get_endpoint(endpoint_status=[status], search_from=0, search_to=PAGE).reply
        check(all(row.endpoint_status == status for row in found.endpoints), f"the filter on {status.name}")
        counts[status.name] = found.total_count
    check(sum(counts.values()) == len(rows), f"the statuses add up: {counts}")
    windows = [row for row in rows if row.os_type == EndpointPlatform.windows]
    found = api.get_endpoint(platform=[EndpointPlatform.windows], search_from=0, search_to=1).reply
    check(found.total_count == len(windows) > 0, f"{len(windows)} run Windows")
    some = rows[len(rows) // 2]
    found = api.get_endpoint(endpoint_id_list=[some.endpoint_id]).reply.endpoints
    check([row.endpoint_name for row in found] == [some.endpoint_name], "one endpoint by its id")
    return {row.endpoint_id: row for row in rows}


def check_alerts(client, endpoints):
    api = client.alerts_api
    # The client's model knows no severity "informational", so those are read without it.
    known = [AlertSeverity.LOW, AlertSeverity.MEDIUM, AlertSeverity.HIGH, AlertSeverity.CRITICAL]
    sort = {"field": "creation_time", "keyword": "asc"}

    def typed(start, end):
        return api.get_alerts(severities=known, search_from=start, search_to=end, sort=sort).reply.alerts

    rows = pages(typed)

    def plain(call):
        return lambda start, end: call(search_from=start, search_to=end, sort=sort)["reply"]["alerts"]

    raw = pages(plain(api.get_alerts_multi_events_v1))
    rest = [alert for alert in raw if alert["severity"] == "informational"]
    check(len(rows) + len(rest) == len(raw) > PAGE, f"{len(raw)} alerts, {len(rest)} of them informational")
    check(len({row.alert_id for row in rows}) == len(rows), "alert ids are distinct")
    check(all(row.events for row in rows), "every alert has events")
    check(all(isinstance(row.alert_id, str) for row in rows), "alert ids are text")
    hosted = [row for row in rows if row.endpoint_id in endpoints]
    check(0 < len(hosted) < len(rows), f"{len(hosted)} of them on endpoints that the tenant lists")
    check(
        all(row.host_name == endpoints[row.endpoint_id].endpoint_name for row in hosted),
        "alerts and endpoints name the same hosts",
    )
    middle = rows[len(rows) // 2].detection_timestamp
    late = api.get_alerts(severities=known, creation_time=middle, after_creation=True, search_from=0, search_to=1).reply
    check(
        late.total_count == sum(row.detection_timestamp >= middle for row in rows),
        "the filter creation_time looks at detection_timestamp",
    )
    flat = pages(plain(api.get_alerts_request))
    check([row["alert_id"] for row in flat] == [row["alert_id"] for row in raw], "the flat call lists the same alerts")
    columnar = api.get_alerts_multi_events(filters=[])["reply"]["alerts"]
    check(columnar[0]["events"] is None and isinstance(columnar[0]["event_type"], list), "version 2 is columnar")
    incidents = client.incidents_api.get_incidents(search_from=0, search_to=PAGE).reply
    check(incidents.total_count >= len(incidents.incidents) > 0, f"{incidents.total_count} incidents")


def check_xql(client, endpoints):
    api = client.xql_api

    def rows(query):
        return api.get_query_results(api.start_xql_query(query), params={"pending_flag": False})["data"]

    cves = rows("dataset = va_cves | fields name, severity, severity_score, description, publication_date, affected_hosts")
    check(len(cves) > 0 and all(row["name"].startswith("CVE-") for row in cves), f"{len(cves)} CVEs, inline")
    check(all(isinstance(row["severity_score"], float) for row in cves), "scores are numbers with a fraction")
    scanned = rows("dataset = va_endpoints | fields endpoint_id, cves")
    expected = {(row["endpoint_id"], cve) for row in scanned for cve in row["cves"] if cve != "No CVEs Found"}
    joined = rows(
        "dataset = va_endpoints | arrayexpand cves"
        " | join type = inner (dataset = va_cves | fields name, severity, publication_date) as c c.name = cves"
        " | fields endpoint_id, name, severity, publication_date | sort asc endpoint_id"
    )
    check(len(joined) > 1000, f"{len(joined)} rows of the join, through a stream that is compressed")
    check({(row["endpoint_id"], row["name"]) for row in joined} == expected, "the join is what the two datasets say")
    check(all(row["publication_date"].endswith(" UTC") for row in joined), "times in a stream are text")
    check({row["endpoint_id"] for row in scanned} < set(endpoints), "some endpoints were never scanned")
    hosts = {host for row in cves for host in row["affected_hosts"]}
    check(hosts <= {row.endpoint_name for row in endpoints.values()}, "affected hosts are endpoints of the tenant")
    quota = api.get_quota(body={"request_data": {}})["reply"]
    check(0 < quota["used_quota"] < quota["license_quota"], f"{quota['used_quota']:.3f} units were used")


def main(arguments):
    started = None
    if arguments[:1] == ["--"] and len(arguments) > 1:
        started = subprocess.Popen(arguments[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = started.stdout.readline()
    elif arguments == ["-"]:
        line = sys.stdin.readline()
    elif len(arguments) == 1:
        with open(arguments[0], encoding="utf-8") as file:
            line = file.readline()
    else:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        try:
            hello = json.loads(line)
        except ValueError:
            print(f"the simulator's first line is not JSON: {line!r}", file=sys.stderr)
            return 2
        client = connect(hello)
        endpoints = check_endpoints(client)
        check_alerts(client, endpoints)
        check_xql(client, endpoints)
        print("the simulator and cortex-xdr-client agree")
        return 0
    finally:
        if started is not None:
            started.stdin.close()
            started.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
