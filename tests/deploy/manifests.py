"""What stands in deploy/kubernetes/: as it lies there, and as kubectl puts each overlay together."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from core.local.servers import ROOT
from tests.deploy.reading import Query

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir() if path.is_dir())
# What kubectl has no part in.
ADAPTER = KUBERNETES / "prometheus-adapter.yaml"


def cannot_put_together() -> str:
    """Why no overlay can be put together here; empty: it can."""
    if shutil.which("kubectl") is None:
        return "kubectl is not on this machine: apt-get install kubernetes-client"
    told = subprocess.run(["kubectl", "kustomize", "--help"], capture_output=True, text=True, check=False)
    # Of 1.21 and later, whose kustomize knows what a kustomization of today says.
    return "" if "--load-restrictor" in told.stdout else "kubectl on this machine is too old: 1.21 or later"


def files() -> list[Path]:
    """Those with whole objects in them."""
    found = [*(KUBERNETES / "base").glob("*.yaml"), *(KUBERNETES / "overlays").glob("*/*.yaml")]
    return sorted(path for path in found if path.name != "kustomization.yaml")


def objects(text: str) -> list[Any]:
    """Each document of a file."""
    return [each for each in YAML(typ="safe").load_all(text) if each]


@cache
def in_base() -> list[Any]:
    """Every object of the base, as it is written down."""
    return [each for path in files() if path.parent.name == "base" for each in objects(path.read_text())]


@cache
def rendered(overlay: str, *, sed: str = "") -> list[Any]:
    """Every object of an overlay, put together by kubectl out of a folder with made-up secrets, and changed by `sed`."""
    with TemporaryDirectory() as folder:
        copied = Path(shutil.copytree(KUBERNETES, Path(folder) / "kubernetes"))
        place = copied / "overlays" / overlay
        command = [ROOT / "deploy" / "secrets", place / "secrets"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        done = subprocess.run(["kubectl", "kustomize", place], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    changed = subprocess.run(["sed", sed], input=done.stdout, capture_output=True, text=True, check=True)
    return objects(changed.stdout)


def pods(found: list[Any]) -> Iterator[tuple[str, Any]]:
    """What runs: each object's name, and the template of its pods."""
    for each in found:
        name, kind, spec = each["metadata"]["name"], each["kind"], each.get("spec", {})
        if kind in {"Deployment", "Job"}:
            yield name, spec["template"]
        elif kind == "CronJob":
            yield name, spec["jobTemplate"]["spec"]["template"]


def named(found: list[Any], kind: str) -> dict[str, Any]:
    """Those of a kind, by name."""
    return {each["metadata"]["name"]: each for each in found if each["kind"] == kind}


def queries_of_scaling() -> list[Query]:
    """What the adapter asks Prometheus for, for each autoscaler."""
    rule = {each["seriesQuery"]: each["metricsQuery"] for each in YAML(typ="safe").load(ADAPTER)["externalRules"]}
    found = []
    for name, scaler in named(in_base(), "HorizontalPodAutoscaler").items():
        for metric in (each["external"]["metric"] for each in scaler["spec"]["metrics"]):
            matchers = ",".join(f'{label}="{value}"' for label, value in metric["selector"]["matchLabels"].items())
            text = rule[metric["name"]].replace("<<.Series>>", metric["name"]).replace("<<.LabelMatchers>>", matchers)
            found.append(Query(where=f"autoscaler {name}", text=text))
    return found
