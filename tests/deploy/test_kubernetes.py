"""The manifests of deploy/kubernetes/ are what Kubernetes takes, run what everything else runs, and may do little.

No cluster is here: what is told by schema and by comparison is told; that it runs is not, see docs/deploying.md.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from core.http.health import VIEWS
from core.local.programs import MIGRATE, RECONCILER, Program, web, worker, worker_name
from core.local.servers import ROOT
from statemachine.reactions import queues
from tests.core.settings.test_secrets import FILES
from tests.deploy import manifests
from tests.deploy.manifests import OVERLAYS, in_base, named, pods
from tests.forking import Forks

# The oldest that is to take them; `make lint` asks the newest that is known.
OLDEST = "1.31"
QUEUES = [queue for queue in queues() if queue != "toy"]
LASTING = {
    "web": web(bind="0.0.0.0:8000"),
    "reconciler": RECONCILER,
    **{worker_name(queue): worker(count=4, queue=queue) for queue in QUEUES},
}
ONCE = {
    "migrate": MIGRATE,
    "backup": ("python", "manage.py", "backup", "$(BACKUP_PLACE)"),
    "verify-backup": ("python", "manage.py", "verify_backup", "$(BACKUP_PLACE)"),
}
# What has to be filled in.
OF_OTHERS = {
    "disk": {"dropbox_app_secret"},
    "objects": {"dropbox_app_secret", "documents_s3_secret_access_key", "backup_s3_secret_access_key"},
}
PODS: dict[str, Any] = {name: template["spec"] for name, template in pods(in_base())}
CONTAINERS = [
    (f"{name}: {each['name']}", each)
    for name, spec in PODS.items()
    for each in (*spec["containers"], *spec.get("initContainers", []))
]


@pytest.fixture(scope="module")
def kubectl() -> None:
    if why := manifests.cannot_put_together():
        pytest.skip(why)


def first(name: str) -> Any:
    return PODS[name]["containers"][0]


class TestSchema:
    @pytest.mark.parametrize("path", manifests.files(), ids=lambda path: f"{path.parent.name}/{path.name}")
    def test_takes_each_file(self, path: Path) -> None:
        for each in manifests.objects(path.read_text()):
            kubernetes_validate.validate(each, OLDEST, strict=True)

    def test_would_say_what_is_wrong(self) -> None:
        wrong = named(in_base(), "Deployment")["web"]
        wrong = {**wrong, "spec": {**wrong["spec"], "replica": 2}}

        with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
            kubernetes_validate.validate(wrong, OLDEST, strict=True)


@pytest.mark.process
@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS)
class TestOverlay:
    def test_is_what_the_schema_takes(self, overlay: str) -> None:
        found = manifests.rendered(overlay)

        for each in found:
            kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
        assert set(dict(pods(found))) == {*LASTING, *ONCE}

    def test_tells_its_programs_where_each_secret_stands(self, overlay: str) -> None:
        found = manifests.rendered(overlay)
        (told,) = (each["data"] for each in found if each["kind"] == "ConfigMap")
        (secret,) = (each for each in found if each["kind"] == "Secret")

        assert {f"{each}_FILE": f"/run/secrets/{each.lower()}" for each in FILES}.items() <= told.items()
        assert set(secret["data"]) == {each.lower() for each in FILES}
        assert {name for name in told if name in FILES} == set()
        for _, template in pods(found):
            mounted = {each["name"]: each for each in template["spec"]["volumes"]}
            assert mounted["secrets"]["secret"]["secretName"] == secret["metadata"]["name"]

    def test_is_what_production_starts_with(self, overlay: str, prepared: Forks, tmp_path: Path) -> None:
        (told,) = (each["data"] for each in manifests.rendered(overlay) if each["kind"] == "ConfigMap")
        subprocess.run([ROOT / "deploy" / "secrets", tmp_path], stdout=subprocess.DEVNULL, check=True)
        for name in ("dropbox_app_secret", "documents_s3_secret_access_key", "backup_s3_secret_access_key"):
            (tmp_path / name).write_text("secret" if name in OF_OTHERS[overlay] else "")
        here = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in told.items()}

        done = prepared.run(
            "python", "manage.py", "check", "--deploy", environment={**here, "PATH": os.environ["PATH"]}
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert set(told) >= {"DATABASE_URL_DIRECT", "BACKUP_PLACE"}
        assert "web.runsheet.svc" in told["ALLOWED_HOSTS"].split(","), "Prometheus asks the Service"

    def test_makes_a_job_of_the_preflight_as_the_docs_say(self, overlay: str) -> None:
        """Of what is in the overlay, `--selector` takes one thing, and `sed` makes it another one."""
        (changes,) = re.findall(r"\| sed '(.*)' \\\n", (ROOT / "docs/deploying.md").read_text())
        selected = [
            each
            for each in manifests.rendered(overlay, sed=changes)
            if each["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "migrate"
        ]

        (job,) = selected
        pod = job["spec"]["template"]["spec"]
        assert (job["kind"], job["metadata"]["name"], job["spec"]["backoffLimit"]) == ("Job", "preflight", 0)
        assert (pod["containers"][0]["command"], pod["restartPolicy"]) == (
            ["python", "manage.py", "preflight"],
            "Never",
        )

    def test_lets_those_write_documents_that_do(self, overlay: str) -> None:
        found = manifests.rendered(overlay)
        mounted = {
            (name, each["mountPath"], each.get("readOnly", False))
            for name, template in pods(found)
            for each in template["spec"]["containers"][0]["volumeMounts"]
            if each["mountPath"] not in {"/tmp", "/run/secrets"}
        }

        disk = {
            ("web", "/srv/documents", False),
            ("worker-storage", "/srv/documents", False),
            *((name, "/srv/documents", True) for name in ("backup", "verify-backup")),
            *((name, "/srv/backups", False) for name in ("backup", "verify-backup")),
        }
        assert mounted == (disk if overlay == "disk" else set())


class TestPrograms:
    def test_are_all_known_here(self) -> None:
        assert set(PODS) == {*LASTING, *ONCE}

    @pytest.mark.parametrize("name", LASTING)
    def test_are_what_make_up_runs_for_as_long_as_it_takes_to_stop(self, name: str) -> None:
        program: Program = LASTING[name]
        waits = first(name).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])

        assert tuple(first(name)["command"]) == program.command
        assert PODS[name]["terminationGracePeriodSeconds"] - int(waits[1]) == program.stop_s

    @pytest.mark.parametrize("name", ONCE)
    def test_are_what_compose_runs_once(self, name: str) -> None:
        assert tuple(first(name)["command"]) == ONCE[name]
        assert {each["name"] for each in first(name)["env"]} == {"DATABASE_URL", "DATABASE_POOLER"}, "past a pooler"

    @pytest.mark.parametrize("name", LASTING)
    def test_wait_for_the_tables(self, name: str) -> None:
        (waiting,) = PODS[name]["initContainers"]

        assert waiting["command"] == ["python", "manage.py", "migrate", "--check"]

    def test_are_asked_how_they_are_where_the_console_answers(self) -> None:
        found = first("web")
        (port,) = found["ports"]
        probes = {name: found[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}

        assert [port["containerPort"], port["name"]] == [8000, "http"]
        assert {each["path"] for each in probes.values()} == set(VIEWS)
        assert probes["readinessProbe"]["path"] == "/health/ready"
        assert {each["port"] for each in probes.values()} == {"http"}

    @pytest.mark.parametrize("queue", QUEUES)
    def test_are_more_when_the_oldest_work_of_their_queue_has_waited_long(self, queue: str) -> None:
        spec = named(in_base(), "HorizontalPodAutoscaler")[worker_name(queue)]["spec"]

        assert spec["scaleTargetRef"]["name"] == worker_name(queue)
        (metric,) = (each["external"]["metric"] for each in spec["metrics"])
        assert metric["selector"] == {"matchLabels": {"queue": queue}}
        assert "replicas" not in named(in_base(), "Deployment")[worker_name(queue)]["spec"], "the autoscaler says"

    @pytest.mark.parametrize("name", LASTING)
    def test_are_not_all_taken_away_at_once(self, name: str) -> None:
        budget = named(in_base(), "PodDisruptionBudget")[name]["spec"]
        replicas = named(in_base(), "Deployment")[name]["spec"].get("replicas", 1)

        assert budget["selector"] == {"matchLabels": {"app.kubernetes.io/component": name}}
        assert replicas - budget.get("minAvailable", 0) >= 1, "a node can be emptied"


class TestRights:
    @pytest.mark.parametrize("name", PODS)
    def test_of_a_pod_are_none(self, name: str) -> None:
        spec = PODS[name]

        assert spec["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
        assert spec["shareProcessNamespace"] is True

    @pytest.mark.parametrize("container", [each for _, each in CONTAINERS], ids=[name for name, _ in CONTAINERS])
    def test_of_a_container_are_to_write_to_tmp_and_to_take_so_much(self, container: Any) -> None:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        mounts = {(each["mountPath"], each.get("readOnly", False)) for each in container["volumeMounts"]}
        assert mounts == {("/run/secrets", True), ("/tmp", False)}
        assert "memory" in container["resources"]["limits"]
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}

    def test_to_talk_are_said_one_by_one(self) -> None:
        policies = {name: each["spec"] for name, each in named(in_base(), "NetworkPolicy").items()}

        assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        assert [name for name, spec in policies.items() if spec.get("ingress")] == ["enters"]
        assert policies["enters"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/component": "web"}
        (outside,) = policies["outside"]["egress"]
        assert "169.254.0.0/16" in outside["to"][0]["ipBlock"]["except"], "nobody asks for the machine's rights"
        goes_out = {
            name
            for name, template in pods(in_base())
            if template["metadata"]["labels"].get("runsheet/outside") == "yes"
        }
        assert goes_out == {*LASTING, "backup", "verify-backup"}
