"""Checks Kubernetes manifests. Usage: manifests.py FOLDER

Validates each file strictly against the schemas of Kubernetes, and compares what must agree. Prints the problems, one a
line. If there are none, prints what the Deployment says about the server, as JSON.
"""

import json
import pathlib
import sys

import kubernetes_validate
import yaml

# The oldest one in which gRPC probes are stable, and the newest one that is known.
VERSIONS = ["1.27", "1.37"]

problems = []


def same(what, *values):
    if any(value != values[0] for value in values):
        problems.append(f"{what}: {' '.join(map(str, values))}")


def seconds(text):
    units = {"s": 1, "m": 60, "h": 3600}
    return int(text[:-1]) * units[text[-1]]


folder = pathlib.Path(sys.argv[1])
kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
same("resources", sorted(files), sorted(kustomization["resources"]))

resources = {}
for name in sorted(files):
    for resource in yaml.safe_load_all((folder / name).read_text()):
        resources[resource["kind"], resource["metadata"]["name"]] = resource
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"{name} ({version}): {error}")

same(
    "kinds and names",
    sorted(resources),
    [
        ("Deployment", "sum-server"),
        ("NetworkPolicy", "sum-server"),
        ("PodDisruptionBudget", "sum-server"),
        ("Service", "sum-server"),
        ("Service", "sum-server-headless"),
    ],
)
deployment, network, budget, service, headless = (resources[key]["spec"] for key in sorted(resources))
pod = deployment["template"]["spec"]
(container,) = pod["containers"]
(port,) = container["ports"]

probes = [container[name]["grpc"]["port"] for name in ("readinessProbe", "livenessProbe")]
services = [entry for spec in (service, headless) for entry in spec["ports"]]
same("ports", port["containerPort"], *probes, *(entry["port"] for entry in services))
named = [entry["targetPort"] for entry in services] + [entry["port"] for entry in network["ingress"][0]["ports"]]
same("names of the port", port["name"], *named)
same(
    "labels",
    deployment["template"]["metadata"]["labels"],
    *(spec["selector"]["matchLabels"] for spec in (deployment, budget)),
    network["podSelector"]["matchLabels"],
    *(spec["selector"] for spec in (service, headless)),
    *(entry["labelSelector"]["matchLabels"] for entry in pod["topologySpreadConstraints"]),
)
same("clusterIP of the headless service", "None", headless["clusterIP"])
same("maxUnavailable", 0, deployment["strategy"]["rollingUpdate"]["maxUnavailable"])
if deployment["replicas"] < 2:
    problems.append("a single server")
options = dict(argument.split("=") for argument in container["args"])
needed = seconds(options["--drain-delay"]) + seconds(options["--drain-timeout"])
if pod["terminationGracePeriodSeconds"] <= needed:
    problems.append(f"the pod is killed before {needed} seconds have passed")
security = pod["securityContext"]
same("user and group", security["runAsUser"], security["runAsGroup"])
same("root", True, security["runAsNonRoot"], container["securityContext"]["readOnlyRootFilesystem"])
same("image", container["image"], kustomization["images"][0]["name"])

print(
    "\n".join(problems)
    or json.dumps(
        {
            "arguments": container["args"],
            "port": port["containerPort"],
            "tag": kustomization["images"][0]["newTag"],
            "user": security["runAsUser"],
        }
    )
)
