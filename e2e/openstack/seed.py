"""The fixed objects of the tests. Safe to run again: what exists by name is kept. See README.md."""
import json
import os
import subprocess
import sys
import time
from urllib.parse import urlencode

from oslab import GLANCE, KEYSTONE, NEUTRON, NOVA, Cloud

STATE = os.environ["LAB_STATE"]
TAPS = os.path.join(STATE, "taps")

NETWORKS = (("biz-mgmt", 1450), ("biz-data", 1500), ("biz-storage", 9000))
SLAAC = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
# key, name, network, cidr, more. biz-data is dual stack; biz-shared-name is two subnets with one name.
SUBNETS = (
    ("biz-mgmt-v4", "biz-mgmt-v4", "biz-mgmt", "10.10.0.0/16", {}),
    ("biz-data-v4", "biz-data-v4", "biz-data", "10.20.0.0/16", {"dns_nameservers": ["10.20.0.53"]}),
    ("biz-data-v6", "biz-data-v6", "biz-data", "fd00:20::/64", SLAAC),
    ("biz-storage-a", "biz-storage-a", "biz-storage", "10.30.0.0/24", {"gateway_ip": None}),
    ("biz-storage-b", "biz-storage-b", "biz-storage", "10.31.0.0/24",
     {"host_routes": [{"destination": "10.99.0.0/16", "nexthop": "10.31.0.1"}]}),
    ("biz-shared-name@mgmt", "biz-shared-name", "biz-mgmt", "10.11.0.0/24", {}),
    ("biz-shared-name@storage", "biz-shared-name", "biz-storage", "10.32.0.0/24", {}),
)
# name, metadata, the last octet of its addresses
SERVERS = (
    ("measure-biz-master-1", {"k8s-node-name": "master-1"}, 11),
    ("measure-biz-worker-2", {}, 12),
    ("measure-biz-worker-3", {}, 13),
)
# kind, network, subnet, address prefix; the fifth octet of the MAC is the server's number, the last the kind's.
PORT_KINDS = (
    ("mgmt", "biz-mgmt", "biz-mgmt-v4", "10.10.0."),
    ("data", "biz-data", "biz-data-v4", "10.20.0."),  # SLAAC adds the IPv6 address by itself
    ("storage-a", "biz-storage", "biz-storage-a", "10.30.0."),
    ("storage-b", "biz-storage", "biz-storage-b", "10.31.0."),
)
UP = ("master-1-mgmt", "master-1-data", "master-1-storage-a", "master-1-storage-b", "worker-2-mgmt", "worker-2-data",
      "worker-2-storage-a", "worker-3-mgmt", "dup-vm-0-mgmt", "other-vm-port")  # the rest stay DOWN


def tap(port_id, up=True):
    """What a hypervisor would do: the L2 agent wires tap<first 11 of the port id> when it appears."""
    device = "tap" + port_id[:11]
    record = os.path.join(TAPS, device)
    if up:
        if not os.path.exists("/sys/class/net/" + device):
            subprocess.run(["ip", "tuntap", "add", "dev", device, "mode", "tap"], check=True)
        open(record, "w").close()
        return
    subprocess.run(["ip", "link", "del", device], check=False, stderr=subprocess.DEVNULL)
    if os.path.exists(record):
        os.unlink(record)


def wait(what, ready, timeout=120):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = ready()
        if found:
            return found
        time.sleep(0.5)
    raise SystemExit(f"error: timed out waiting for {what}")


def find_or_make(cloud, kind, match, extra=None):
    for found in cloud.get(f"{NEUTRON}/{kind}s?{urlencode(match)}")[kind + "s"]:
        return found["id"]
    return cloud.post(f"{NEUTRON}/{kind}s", {kind: {**match, **(extra or {})}})[kind]["id"]


def server(cloud, name, ports, image, metadata=None, nth=0):
    have = cloud.get(f"{NOVA}/servers/detail?name=^{name}$")["servers"]
    if len(have) > nth:
        return have[nth]["id"]
    body = {"name": name, "imageRef": image, "flavorRef": "1", "metadata": metadata or {},
            "networks": [{"port": p} for p in ports] or "none"}
    return cloud.post(NOVA + "/servers", {"server": body})["server"]["id"]


def wait_active(cloud, server_id):
    def ready():
        found = cloud.get(f"{NOVA}/servers/{server_id}")["server"]
        if found["status"] == "ERROR":
            raise SystemExit(f"error: server {server_id}: {found.get('fault')}")
        return found["status"] == "ACTIVE"
    wait(f"server {server_id}", ready)


def identities(admin):
    me, projects = admin.body["user"]["id"], {}
    roles = {r["name"]: r["id"] for r in admin.get(KEYSTONE + "/roles")["roles"]}
    for name in ("biz", "other"):
        projects[name] = admin.ensure(KEYSTONE + "/projects", "project", {"name": name, "domain_id": "default"})["id"]
        admin.put(f"{KEYSTONE}/projects/{projects[name]}/users/{me}/roles/{roles['admin']}")
    for name, role in (("biz-member", "member"), ("biz-reader", "reader")):
        user = admin.ensure(KEYSTONE + "/users", "user", {"name": name, "domain_id": "default"}, {"password": "lab-biz"})
        admin.put(f"{KEYSTONE}/projects/{projects['biz']}/users/{user['id']}/roles/{roles[role]}")
    return projects


class Seed:
    def __init__(self):
        self.admin = Cloud()
        self.projects = identities(self.admin)
        self.biz, self.other = Cloud("biz"), Cloud("other")
        self.image = self.admin.get(GLANCE + "/images?name=tiny")["images"][0]["id"]
        self.networks, self.subnets, self.ports, self.servers, self.dup = {}, {}, {}, {}, []

    def subnet(self, cloud, project, key, name, network, cidr, more):
        match = {"name": name, "project_id": self.projects[project], "network_id": self.networks[network], "cidr": cidr}
        self.subnets[key] = find_or_make(cloud, "subnet", match, {"ip_version": 6 if ":" in cidr else 4, **more})

    def port(self, cloud, project, name, network, fixed, **more):
        match = {"name": name, "project_id": self.projects[project], "network_id": self.networks[network]}
        ips = [{"subnet_id": self.subnets[s], **({"ip_address": ip} if ip else {})} for s, ip in fixed]
        self.ports[name] = find_or_make(cloud, "port", match, {"fixed_ips": ips, **more})
        return self.ports[name]

    def make_networks(self):
        for name, mtu in NETWORKS:
            match = {"name": name, "project_id": self.projects["biz"]}
            self.networks[name] = find_or_make(self.biz, "network", match, {"mtu": mtu})
        match = {"name": "other-net", "project_id": self.projects["other"]}
        self.networks["other-net"] = find_or_make(self.other, "network", match)
        for row in SUBNETS:
            self.subnet(self.biz, "biz", *row)
        self.subnet(self.other, "other", "other-v4", "other-v4", "other-net", "10.10.0.0/24", {})  # overlaps on purpose

    def make_servers(self):
        for number, (name, metadata, octet) in enumerate(SERVERS, 1):
            short, ids = name.removeprefix("measure-biz-"), []
            for kind_number, (kind, network, subnet, prefix) in enumerate(PORT_KINDS, 1):
                mac = f"fa:16:3e:b1:{number:02x}:{kind_number:02x}"
                ids.append(self.port(self.biz, "biz", f"{short}-{kind}", network, [(subnet, prefix + str(octet))], mac_address=mac))
            self.servers[name] = server(self.biz, name, ids, self.image, metadata)
            self.plug(self.servers[name], ids)
        for nth in (0, 1):
            port = self.port(self.biz, "biz", f"dup-vm-{nth}-mgmt", "biz-mgmt", [("biz-mgmt-v4", None)])
            self.dup.append(server(self.biz, "dup-vm", [port], self.image, nth=nth))
            wait_active(self.biz, self.dup[nth])
        self.servers["bare-vm"] = server(self.biz, "bare-vm", [], self.image)
        port = self.port(self.other, "other", "other-vm-port", "other-net", [("other-v4", None)])
        self.servers["other-vm"] = server(self.other, "other-vm", [port], self.image)

    def plug(self, server_id, ports):
        """A run that was cut short may have left one unplugged."""
        wait_active(self.biz, server_id)
        for port_id in ports:
            if not self.admin.get(f"{NEUTRON}/ports/{port_id}")["port"]["device_id"]:
                body = {"interfaceAttachment": {"port_id": port_id}}
                self.biz.post(f"{NOVA}/servers/{server_id}/os-interface", body)

    def make_loose_ports(self):
        self.port(self.biz, "biz", "unattached", "biz-data", [("biz-data-v4", None)])
        self.port(self.biz, "biz", "two-subnets", "biz-storage", [("biz-storage-a", None), ("biz-storage-b", None)])
        self.port(self.biz, "biz", "admin-down", "biz-data", [("biz-data-v4", None)], admin_state_up=False)
        self.port(self.biz, "biz", "spare-shared-name", "biz-storage", [("biz-shared-name@storage", "10.32.0.13")],
                  mac_address="fa:16:3e:b1:03:05")

    def statuses(self):
        return {name: self.admin.get(f"{NEUTRON}/ports/{self.ports[name]}")["port"]["status"] for name in UP}

    def wire(self):
        for server_id in [*self.servers.values(), *self.dup]:
            wait_active(self.admin, server_id)
        for name, port_id in self.ports.items():
            tap(port_id, name in UP)
        wait("ports to become ACTIVE", lambda: set(self.statuses().values()) == {"ACTIVE"})

    def summary(self):
        return {"projects": self.projects, "networks": self.networks, "subnets": self.subnets, "servers": self.servers,
                "dup_servers": self.dup, "ports": self.ports, "image": self.image}


def main():
    began, seed = time.monotonic(), Seed()
    for step in (seed.make_networks, seed.make_servers, seed.make_loose_ports, seed.wire):
        step()
    path = os.path.join(STATE, "seed.json")
    with open(path, "w") as out:
        json.dump(seed.summary(), out, indent=1)
    print(f"seeded in {time.monotonic() - began:.0f} s; summary in {path}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--tap"]:
        tap(sys.argv[3], sys.argv[2] == "up")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        main()
