"""Many servers in seconds: copies one real server's rows (made through the API) in the databases.

The copies read like any other server and port through Nova and Neutron. What they lack is a placement allocation and
any action history. Ports 1-3 of each copy are ACTIVE, port 4 is DOWN.
"""
import os
import sys
import time
import uuid

import netaddr
import pymysql

from oslab import GLANCE, NEUTRON, NOVA, Cloud
from seed import wait, wait_active

KINDS = (
    ("mgmt", "biz-mgmt", "biz-mgmt-v4"),
    ("data", "biz-data", "biz-data-v4"),
    ("mgmt2", "biz-mgmt", "biz-mgmt-v4"),
    ("data2", "biz-data", "biz-data-v4"),
)
COPIES = "display_name LIKE 'clone-%' AND display_name <> 'clone-template'"
PER_PORT = ("ml2_port_bindings", "ml2_port_binding_levels", "portsecuritybindings", "securitygroupportbindings")
PER_SERVER = ("nova.instance_info_caches", "nova.instance_extra", "nova.instance_system_metadata",
              "nova.instance_metadata", "nova.block_device_mapping", "nova.virtual_interfaces",
              "nova_api.instance_mappings", "nova_api.request_specs")


def connect():
    port = int(os.environ.get("LAB_DB_PORT", "3306"))
    return pymysql.connect(host="127.0.0.1", port=port, user="lab", password="lab", database="nova", charset="utf8",
                           cursorclass=pymysql.cursors.DictCursor)


def template():
    """The server that is copied; made on first use. Its cached network information must be complete."""
    cloud = Cloud("biz")
    have = cloud.get(NOVA + "/servers?name=^clone-template$")["servers"]
    if have:
        return have[0]["id"]
    nets = {x["name"]: x["id"] for x in cloud.get(NEUTRON + "/networks?fields=id&fields=name")["networks"]}
    subs = {x["name"]: x["id"] for x in cloud.get(NEUTRON + "/subnets?fields=id&fields=name")["subnets"]}
    image = cloud.get(GLANCE + "/images?name=tiny")["images"][0]["id"]
    ports = []
    for kind, net, sub in KINDS:
        port = {"name": "clone-template-" + kind, "network_id": nets[net], "fixed_ips": [{"subnet_id": subs[sub]}]}
        ports.append({"port": cloud.post(NEUTRON + "/ports", {"port": port})["port"]["id"]})
    server = {"name": "clone-template", "imageRef": image, "flavorRef": "1", "networks": ports}
    server_id = cloud.post(NOVA + "/servers", {"server": server})["server"]["id"]
    wait_active(cloud, server_id)

    def cached():
        addresses = cloud.get(f"{NOVA}/servers/{server_id}")["server"]["addresses"].values()
        return len({a["OS-EXT-IPS-MAC:mac_addr"] for each in addresses for a in each}) == len(KINDS)
    wait("the network information of clone-template", cached)
    return server_id


def rows(cursor, table, where, *values):
    cursor.execute(f"SELECT * FROM {table} WHERE {where}", values)
    return cursor.fetchall()


def without_id(row):
    return {key: value for key, value in row.items() if key != "id"}


class Copier:
    def __init__(self, cursor, server_id):
        self.server_id, self.out = server_id, {}
        order = [k[0] for k in KINDS]
        self.ports = sorted(rows(cursor, "neutron.ports", "device_id=%s", server_id),
                            key=lambda p: order.index(p["name"].rsplit("-", 1)[1]))
        self.addresses = {p["id"]: rows(cursor, "neutron.ipallocations", "port_id=%s", p["id"]) for p in self.ports}
        self.bindings = {(t, p["id"]): rows(cursor, f"neutron.{t}", "port_id=%s", p["id"]) for t in PER_PORT for p in self.ports}
        self.attributes = {p["id"]: rows(cursor, "neutron.standardattributes", "id=%s", p["standard_attr_id"])[0] for p in self.ports}
        self.ipam = {r["neutron_subnet_id"]: r["id"] for r in rows(cursor, "neutron.ipamsubnets", "1=1")}
        self.cidr = {r["id"]: netaddr.IPNetwork(r["cidr"]) for r in rows(cursor, "neutron.subnets", "1=1")}
        self.of_server = {t: rows(cursor, t, "instance_uuid=%s" + (" AND deleted=0" if t.startswith("nova.") else ""), server_id)
                          for t in PER_SERVER}
        self.instance = rows(cursor, "nova.instances", "uuid=%s", server_id)[0]
        cursor.execute("SELECT MAX(id) AS highest FROM neutron.standardattributes")
        self.next_attribute = cursor.fetchone()["highest"]

    def add(self, table, row):
        self.out.setdefault(table, []).append(row)

    def address(self, port_id, new_id, mac, serial, swaps):
        for row in self.addresses[port_id]:
            net = self.cidr[row["subnet_id"]]
            ip = str(netaddr.EUI(mac).ipv6(net.first)) if net.version == 6 else str(net[net.size // 2 + serial])
            swaps[row["ip_address"]] = ip
            self.add("neutron.ipallocations", {**row, "port_id": new_id, "ip_address": ip})
            ipam = {"ip_address": ip, "status": "ALLOCATED", "ipam_subnet_id": self.ipam[row["subnet_id"]]}
            self.add("neutron.ipamallocations", ipam)

    def port(self, number, kind, port, name, server_id, swaps):
        serial, new_id = number * len(KINDS) + kind, str(uuid.uuid4())
        mac = f"fa:16:40:{serial >> 16 & 255:02x}:{serial >> 8 & 255:02x}:{serial & 255:02x}"
        swaps.update({port["id"]: new_id, port["mac_address"]: mac, "tap" + port["id"][:11]: "tap" + new_id[:11]})
        self.next_attribute += 1
        self.add("neutron.standardattributes", {**self.attributes[port["id"]], "id": self.next_attribute})
        self.add("neutron.ports", {
            **port, "id": new_id, "name": f"{name}-{KINDS[kind][0]}", "mac_address": mac, "device_id": server_id,
            "standard_attr_id": self.next_attribute, "status": "DOWN" if kind == 3 else "ACTIVE"})
        self.address(port["id"], new_id, mac, serial, swaps)
        for table in PER_PORT:
            for row in self.bindings[table, port["id"]]:
                self.add("neutron." + table, {**row, "port_id": new_id})

    def server(self, number):
        name, new_id = f"clone-{number:05d}", str(uuid.uuid4())
        swaps = {self.server_id: new_id, "clone-template": name}
        for kind, port in enumerate(self.ports):
            self.port(number, kind, port, name, new_id, swaps)
        self.add("nova.instances", {**without_id(self.instance), "uuid": new_id, "display_name": name, "hostname": name})
        for table, found in self.of_server.items():
            for row in found:
                copy = {key: swapped(value, swaps) for key, value in without_id(row).items()}
                if table == "nova.block_device_mapping":
                    copy["uuid"] = str(uuid.uuid4())
                self.add(table, copy)


def swapped(value, swaps):
    """IPv4 addresses are swapped only as whole JSON strings: one may be the beginning of another."""
    if not isinstance(value, str):
        return value
    for old, new in swaps.items():
        value = value.replace(f'"{old}"', f'"{new}"') if old.count(".") == 3 else value.replace(old, new)
    return value


def insert(cursor, table, records):
    columns = list(records[0])
    names, marks = ",".join(f"`{c}`" for c in columns), ",".join(["%s"] * len(columns))
    for start in range(0, len(records), 500):
        values = [[r[c] for c in columns] for r in records[start:start + 500]]
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def clone(count):
    server_id, database = template(), connect()
    cursor = database.cursor()
    cursor.execute(f"SELECT COUNT(*) AS have FROM nova.instances WHERE {COPIES} AND deleted=0")
    first = cursor.fetchone()["have"] + 1
    copier = Copier(cursor, server_id)
    for number in range(first, first + count):
        copier.server(number)
    for table, records in copier.out.items():
        insert(cursor, table, records)
    database.commit()
    print(f"{count} servers and {count * len(KINDS)} ports copied")


def unclone():
    database = connect()
    cursor = database.cursor()
    cursor.execute(f"CREATE TEMPORARY TABLE nova.gone AS SELECT uuid FROM nova.instances WHERE {COPIES}")
    gone = "IN (SELECT uuid FROM nova.gone)"
    cursor.execute(
        "DELETE a FROM neutron.ipamallocations a JOIN neutron.ipamsubnets s ON s.id=a.ipam_subnet_id "
        "JOIN neutron.ipallocations i ON i.subnet_id=s.neutron_subnet_id AND i.ip_address=a.ip_address "
        f"JOIN neutron.ports p ON p.id=i.port_id WHERE p.device_id {gone}")
    cursor.execute(f"DELETE s FROM neutron.standardattributes s JOIN neutron.ports p ON p.standard_attr_id=s.id WHERE p.device_id {gone}")
    for table in (*PER_SERVER, "nova.instance_faults"):
        cursor.execute(f"DELETE FROM {table} WHERE instance_uuid {gone}")
    actions = f"(SELECT id FROM nova.instance_actions WHERE instance_uuid {gone})"
    cursor.execute(f"DELETE FROM nova.instance_actions_events WHERE action_id IN {actions}")
    cursor.execute(f"DELETE FROM nova.instance_actions WHERE instance_uuid {gone}")
    count = cursor.execute(f"DELETE FROM nova.instances WHERE {COPIES}")
    database.commit()
    print(f"{count} copied servers removed")


if __name__ == "__main__":
    if sys.argv[1] == "--clone":
        clone(int(sys.argv[2]))
    else:
        unclone()
