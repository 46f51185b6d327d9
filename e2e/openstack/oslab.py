"""A very small OpenStack client for the scripts of this folder.

One connection per request, on purpose: Debian's uWSGI settings strip Content-Length and close after every answer
without saying so, and after a 204 a pooled connection is then a dead one.
"""
import os

import requests

KEYSTONE = "http://127.0.0.1:5000/v3"
NOVA = "http://127.0.0.1:8774/v2.1"
NEUTRON = "http://127.0.0.1:9696/v2.0"
PLACEMENT = "http://127.0.0.1:8778"
GLANCE = "http://127.0.0.1:9292/v2"
COMPUTE_VERSION = "compute 2.90"  # Zed's highest is 2.93
TIMEOUT_SECONDS = 120


class Cloud:
    """An administrator's session in one project; a token that has run out is renewed once per request."""

    def __init__(self, project="admin"):
        self.project = project
        self.login()

    def login(self):
        user = {"name": "admin", "domain": {"id": "default"}, "password": os.environ.get("ADMIN_PASSWORD", "lab-admin")}
        scope = {"project": {"name": self.project, "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = requests.post(KEYSTONE + "/auth/tokens", json=body, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        self.token = answer.headers["X-Subject-Token"]
        self.body = answer.json()["token"]

    def send(self, method, url, headers=None, **rest):
        for attempt in (1, 2):
            sent = {"X-Auth-Token": self.token, "OpenStack-API-Version": COMPUTE_VERSION, **(headers or {})}
            answer = requests.request(method, url, headers=sent, timeout=TIMEOUT_SECONDS, **rest)
            if answer.status_code != 401 or attempt == 2:
                break
            self.login()
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {url} -> {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def get(self, url):
        return self.send("GET", url)

    def post(self, url, body):
        return self.send("POST", url, json=body)

    def put(self, url):
        return self.send("PUT", url)

    def ensure(self, url, kind, match, extra=None):
        """Finds by the given attributes, else creates."""
        for found in self.get(url)[kind + "s"]:
            if all(found.get(key) == value for key, value in match.items()):
                return found
        return self.post(url, {kind: {**match, **(extra or {})}})[kind]
