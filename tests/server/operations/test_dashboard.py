"""The dashboard of deploy/ asks for metrics that are there, and shows all of ours."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.servers import RunningServer

DEPLOY = Path(__file__).parents[3] / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "dojo.json").read_text(encoding="utf-8"))
COMPOSE = {name: (DEPLOY.parent / name).read_text() for name in ("docker-compose.yml", "docker-compose.workers.yml")}
NAME = re.compile(r"\b(?:dojo|process)_[a-z_]+")
OF_EVERY_TARGET = {"up"}  # Prometheus makes it itself


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_dashboard_asks_for_what_is_counted_and_shows_all_of_ours(server: RunningServer) -> None:
    shown = server.client.get("/metrics").text
    families = set(re.findall(r"^# TYPE (\S+) ", shown, re.MULTILINE))
    families |= {f"{name}{part}" for name in families for part in ("_bucket", "_sum", "_count")}
    queries = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in NAME.findall(query)}

    assert len(queries) > 15
    assert [query for query in queries if not NAME.search(query) and query not in OF_EVERY_TARGET] == []
    assert asked <= families
    ours = set(re.findall(r"^# TYPE (dojo_\w+) (?:counter|histogram)$", shown, re.MULTILINE))
    assert len(ours) >= 5
    assert {name for name in ours if not any(query.startswith(name) for query in asked)} == set()


def test_the_files_of_the_dashboard_name_each_other() -> None:
    datasource = (DEPLOY / "grafana" / "datasource.yml").read_text()
    (uid,) = re.findall(r"uid: (\w+)", datasource)
    (port,) = re.findall(r'DOJO_WORKER_PORT: "(\d+)"', COMPOSE["docker-compose.workers.yml"])

    assert {panel["datasource"]["uid"] for panel in BOARD["panels"]} == {uid}
    assert f"names: [worker], type: A, port: {port}" in (DEPLOY / "prometheus.yml").read_text()
    assert f"http://127.0.0.1:{port}/readyz" in COMPOSE["docker-compose.workers.yml"]
    for file in ("prometheus.yml", *(f"grafana/{path.name}" for path in (DEPLOY / "grafana").iterdir())):
        assert f"./deploy/{file}:" in COMPOSE["docker-compose.yml"]
