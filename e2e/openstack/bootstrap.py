"""bootstrap.py catalog: the service user, roles and endpoints.
bootstrap.py hosts: waits for the compute host and the L2 agent, then makes the flavor and the image."""
import datetime
import os
import sys
import time

from oslab import GLANCE, KEYSTONE, NEUTRON, NOVA, PLACEMENT, Cloud

ENDPOINTS = (
    ("nova", "compute", NOVA),
    ("placement", "placement", PLACEMENT),
    ("neutron", "network", NEUTRON.removesuffix("/v2.0")),
    ("glance", "image", GLANCE.removesuffix("/v2")),
)


def catalog():
    cloud = Cloud()
    project = cloud.ensure(KEYSTONE + "/projects", "project", {"name": "service", "domain_id": "default"})
    secret = {"password": os.environ["SVC_PASSWORD"], "default_project_id": project["id"]}
    user = cloud.ensure(KEYSTONE + "/users", "user", {"name": "svc", "domain_id": "default"}, secret)
    for name in ("admin", "service"):
        role = cloud.ensure(KEYSTONE + "/roles", "role", {"name": name})
        cloud.put(f"{KEYSTONE}/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
    for name, kind, url in ENDPOINTS:
        service = cloud.ensure(KEYSTONE + "/services", "service", {"name": name, "type": kind})
        known = {e["interface"] for e in cloud.get(f"{KEYSTONE}/endpoints?service_id={service['id']}")["endpoints"]}
        for interface in {"public", "internal", "admin"} - known:
            endpoint = {"service_id": service["id"], "interface": interface, "region_id": "RegionOne", "url": url}
            cloud.post(KEYSTONE + "/endpoints", {"endpoint": endpoint})


def alive(cloud, since):
    """Heartbeats from before this start do not count: both look alive for a while after they die."""
    compute = [
        s for s in cloud.get(NOVA + "/os-services")["services"]
        if s["binary"] == "nova-compute" and s["state"] == "up" and (s["updated_at"] or "") >= since
    ]
    agents = [
        a for a in cloud.get(NEUTRON + "/agents")["agents"]
        if a["binary"] == "neutron-linuxbridge-agent" and a["alive"] and a["heartbeat_timestamp"].replace(" ", "T") >= since
    ]
    return compute and agents and cloud.get(PLACEMENT + "/resource_providers")["resource_providers"]


def hosts():
    cloud = Cloud()
    began = datetime.datetime.fromtimestamp(float(os.environ.get("T0", "0")), datetime.timezone.utc)
    since, deadline = began.strftime("%Y-%m-%dT%H:%M:%S"), time.monotonic() + 180
    last = "no heartbeat yet"
    while time.monotonic() < deadline:
        try:
            if alive(cloud, since):
                break
        except RuntimeError as error:  # a service that is still starting
            last = str(error)
        time.sleep(0.5)
    else:
        sys.exit(f"error: the compute host or the L2 agent did not come up: {last}")
    if "tiny" not in {f["name"] for f in cloud.get(NOVA + "/flavors")["flavors"]}:
        cloud.post(NOVA + "/flavors", {"flavor": {"name": "tiny", "ram": 64, "vcpus": 1, "disk": 0, "id": "1"}})
    if not cloud.get(GLANCE + "/images?name=tiny")["images"]:
        image = {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        made = cloud.post(GLANCE + "/images", image)
        octets = {"Content-Type": "application/octet-stream"}
        cloud.send("PUT", f"{GLANCE}/images/{made['id']}/file", headers=octets, data=b"\0" * 1024)


if __name__ == "__main__":
    {"catalog": catalog, "hosts": hosts}[sys.argv[1]]()
