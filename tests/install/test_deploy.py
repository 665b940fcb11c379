"""What ``deploy/`` holds fits together and fits this server; it needs no container engine."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import yaml

from kavach.cli.serve import serve
from tests.twin_server import TwinServer, environment, running, twin

__all__ = ["twin"]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OPTIONS = {param.envvar for param in serve.params if isinstance(param, click.Option)}


def instructions(name: str) -> list[str]:
    """Return the arguments of every instruction of this name in the Dockerfile."""
    return re.findall(rf"^{name}\s+(.*)$", DOCKERFILE, re.MULTILINE)


def settings(text: str) -> dict[str, str]:
    """Return the variables of kavach that a line sets."""
    return dict(re.findall(r"(KAVACH_\w+)=(\S+)", text))


def test_the_image_copies_what_is_there() -> None:
    """Each file that is copied from the tree exists, and is not kept from the build."""
    copied = [
        source
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    assert {"src", "pyproject.toml", "requirements/run.txt"} <= set(copied)
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in let_in


def test_the_image_is_of_the_least_rights() -> None:
    """It ends as a user that is not root, and keeps its data in a volume that this user owns."""
    assert instructions("USER") == ["kavach"]
    assert instructions("VOLUME") == ["/data"]
    assert "--owner kavach --mode 0700 /data" in DOCKERFILE
    assert instructions("FROM")[-1] == "python:3.13-slim"


def test_the_command_of_the_image_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command, with its environment, is a server; its check of health sees it, and its end."""
    assert [json.loads(instructions(name)[0]) for name in ("ENTRYPOINT", "CMD")] == [
        ["kavach"],
        ["serve"],
    ]
    given = settings(instructions("ENV")[0])
    assert set(given) <= OPTIONS
    assert given["KAVACH_DATA_DIR"] == instructions("VOLUME")[0]
    for name, value in (given | {"KAVACH_DATA_DIR": str(tmp_path / "data")}).items():
        monkeypatch.setenv(name, value)
    check = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])

    def is_healthy(url: str) -> bool:
        [code] = check[2:]
        assert "http://127.0.0.1:8080" in code
        program = [sys.executable, "-c", code.replace("http://127.0.0.1:8080", url)]
        return subprocess.run(program, env=environment(), capture_output=True).returncode == 0

    with running("--market", "synthetic") as server:
        assert server.operator.get("clock").status_code == 403  # It listens beyond the loopback.
        assert is_healthy(server.url)
        assert server.stop()[0] == 0
        assert not is_healthy(server.url)
    assert (tmp_path / "data" / "journal.db").exists()


def test_the_services_fit_together() -> None:
    """Options exist, mounted files exist, and no port is open beyond this machine."""
    services = COMPOSE["services"]
    assert set(services["kavach"]["environment"]) <= OPTIONS
    assert (DEPLOY / services["kavach"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / services["kavach"]["build"]["dockerfile"]).exists()
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).exists(), source
    [job] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["kavach:8080"]}]
    datasources = yaml.safe_load((DEPLOY / "grafana" / "datasource.yml").read_text())
    assert datasources["datasources"][0]["url"] == "http://prometheus:9090"


def test_the_dashboard_asks_for_what_is_there(twin: TwinServer) -> None:
    """Each metric and label of the dashboard is one that the server tells; one data source."""
    told = httpx.get(f"{twin.url}/metrics", trust_env=False).text
    known = set(re.findall(r"^# TYPE (\w+) ", told, re.MULTILINE))
    known |= {
        f"{name}_bucket" for name in re.findall(r"^# TYPE (\w+) histogram", told, re.MULTILINE)
    }
    dashboard: dict[str, Any] = json.loads((DEPLOY / "grafana" / "kavach.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"\bkavach_\w+", text)}
    assert len(expressions) >= 10 and asked - known == set()
    labels = {label for text in expressions for label in re.findall(r"by \((\w+)\)", text)}
    documented = (ROOT / "docs" / "operating.md").read_text()
    assert labels - {"le"} <= set(re.findall(r"`(\w+)`", documented))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"prometheus"}


def test_the_unit_is_understood(tmp_path: Path) -> None:
    """systemd, where it is, finds nothing to say about the unit; the options in it exist."""
    unit = (DEPLOY / "kavach.service").read_text()
    assert set(settings(unit)) <= OPTIONS
    analyze = shutil.which("systemd-analyze") or ""
    assert analyze or "CI" not in os.environ, "CI needs systemd-analyze"
    for broken in (False, True) if analyze else ():
        text = unit.replace(
            "/usr/local/kavach/bin/kavach serve", f"{sys.executable} -m kavach serve"
        )
        text = text.replace("ProtectSystem=strict", "ProtectSystem=stricter") if broken else text
        (tmp_path / "kavach.service").write_text(text)
        told = subprocess.run(
            [analyze, "verify", tmp_path / "kavach.service"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert bool(told.stderr) is broken, told.stderr
