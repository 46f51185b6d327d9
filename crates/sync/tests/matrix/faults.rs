//! Every fault with what must become of a pass that meets it.

use std::time::Duration;

use multinic_lab::{Cut, Fault, Service};
use serde_json::{Value, json};

use super::trial::{
    Target, Trial,
    Verdict::{self, Either, Fails, Frozen, Heals, Lied, NoReadBack},
};

/// Makes an answer wrong.
type Change = fn(&mut Value);

struct Trials<'a> {
    target: &'a Target,
    all: Vec<Trial>,
}

/// Everything that can happen to that request.
pub fn trials(target: &Target) -> Vec<Trial> {
    let mut trials = Trials {
        target,
        all: Vec::new(),
    };
    trials.statuses();
    trials.transport();
    if target.method == "GET" || target.service == Service::Keystone {
        trials.wrong_bodies();
    }
    match target.service {
        Service::Nova | Service::Neutron => trials.lies(),
        Service::ManagementApi if target.method == "GET" => trials.wrong_read_back(),
        Service::ManagementApi => trials.wrong_results(),
        _ => {}
    }
    trials.all
}

impl Trials<'_> {
    fn add(&mut self, name: &str, fault: Fault, (once, always): (Verdict, Verdict)) {
        self.all.push(Trial {
            name: name.to_owned(),
            fault,
            once,
            always,
            timeout: "30s",
        });
    }

    fn is_openstack(&self) -> bool {
        matches!(self.target.service, Service::Nova | Service::Neutron)
    }

    fn statuses(&mut self) {
        let busy = (Heals, Fails);
        for code in [500, 502, 503, 504, 429] {
            self.add(&code.to_string(), Fault::status(code), busy);
        }
        for after in ["0", "1", "soon"] {
            let fault = Fault::status(429).retry_after(after);
            self.add(&format!("429 with Retry-After {after}"), fault, busy);
        }
        // OpenStack is not waited for beyond the budget; the others' Retry-After is cut.
        let long = if matches!(self.target.service, Service::Contrabass | Service::ManagementApi) {
            Heals
        } else {
            Either
        };
        self.add(
            "503 with Retry-After 3600",
            Fault::status(503).retry_after("3600"),
            (long, Fails),
        );
        self.add("403", Fault::status(403), (Fails, Fails));
        self.add("409", Fault::status(409), (Fails, Fails));
        let renewed = if self.is_openstack() { Heals } else { Fails };
        self.add("401", Fault::status(401), (renewed, Fails));
        let single = self.target.path.contains("/servers/") && !self.target.path.ends_with("detail");
        let missing = match self.target.service {
            Service::Nova if single => (Heals, Heals),
            Service::Nova | Service::Neutron if self.target.further => (Either, Either),
            Service::ManagementApi if self.target.method == "GET" && !self.target.further => (NoReadBack, NoReadBack),
            _ => (Fails, Fails),
        };
        self.add("404", Fault::status(404), missing);
        if self.is_openstack() {
            self.add("an expired token", Fault::ExpireToken, (Heals, Fails));
        }
    }

    fn transport(&mut self) {
        self.add("a reset", Fault::Reset, (Heals, Fails));
        self.add("a closed connection", Fault::Close, (Heals, Fails));
        self.add("a lost answer", Fault::AnswerLost, (Heals, Fails));
        // What is cut short is asked for again; of a log-in this is left open.
        let cut = if self.target.service == Service::Keystone {
            Either
        } else {
            Heals
        };
        self.add("a reset in the body", Fault::ResetMidBody(Cut::Half), (cut, Fails));
        for (place, at) in [
            ("0", Cut::After(0)),
            ("1", Cut::After(1)),
            ("half", Cut::Half),
            ("its end", Cut::LastByte),
        ] {
            self.add(&format!("a body cut at {place}"), Fault::Truncate(at), (cut, Fails));
        }
        self.add("silence", Fault::Hang, (Heals, Fails));
        self.add(
            "an answer too late",
            Fault::Delay(Duration::from_secs(20)),
            (Heals, Fails),
        );
        for trial in self.all.iter_mut().rev().take(2) {
            trial.timeout = "6s";
        }
    }

    /// 200 all the same.
    fn wrong_bodies(&mut self) {
        let key = self.key();
        let shapes = [
            "null",
            "[]",
            "{}",
            "true",
            "\"\"",
            "<html>not an API</html>",
            "{\"error\": {\"code\": 200}}",
        ];
        // Further pages are read by the same code: two shapes will do.
        let shapes = if self.target.further { &shapes[..2] } else { &shapes[..] };
        let keyed = [
            format!("{{\"{key}\": null}}"),
            format!("{{\"{key}\": 5}}"),
            format!("{{\"{key}\": [null]}}"),
        ];
        for body in shapes.iter().copied().map(str::to_owned).chain(keyed) {
            self.add(&format!("the body {body}"), Fault::Garbage(body), (Fails, Fails));
        }
        // Nothing at all looks like an answer that was cut short.
        self.add("an empty body", Fault::Garbage(String::new()), (Either, Fails));
        self.add(
            "an answer without its key",
            Fault::MissingKey(key.to_owned()),
            (Fails, Fails),
        );
    }

    fn key(&self) -> &'static str {
        let path = &self.target.path;
        match self.target.service {
            Service::Contrabass => "data",
            Service::Keystone => "token",
            Service::ManagementApi => "items",
            Service::Nova if path.contains("/servers/") && !path.ends_with("detail") => "server",
            Service::Nova => "servers",
            Service::Neutron if path.ends_with("subnets") => "subnets",
            Service::Neutron if path.ends_with("networks") => "networks",
            Service::Neutron => "ports",
        }
    }

    fn lies(&mut self) {
        let key = self.key();
        let needed: &[&str] = match key {
            "server" | "servers" => &["id", "name"],
            "subnets" => &["id", "cidr", "network_id", "project_id"],
            "networks" => &["id", "project_id", "shared"],
            _ => &["id", "device_id"],
        };
        // A last page may be empty, and nothing can be missing there. A listing without details may do without the names
        // of servers that nobody means.
        let empty = self.target.bytes < 40 || (self.target.further && key == "networks");
        let strict = if empty { Either } else { Fails };
        for field in needed {
            let verdict = if *field == "name" { Lied } else { strict };
            self.add(
                &format!("no {field}"),
                Fault::MissingKey((*field).to_owned()),
                (verdict, verdict),
            );
        }
        if key == "server" {
            return;
        }
        for field in ["mac_address", "fixed_ips", "mtu"] {
            self.add(
                &format!("no {field}"),
                Fault::MissingKey(field.to_owned()),
                (Lied, Lied),
            );
        }
        self.add("an empty list", Fault::EmptyList, (Lied, Lied));
        self.add("one item missing", Fault::OmitItems { count: 1 }, (Lied, Lied));
        self.add("two items missing", Fault::OmitItems { count: 2 }, (Lied, Lied));
        self.add("pages in a circle", Fault::LoopingPages, (Fails, Fails));
        let odd = Fault::edit(move |body| {
            if let Some(rows) = body[key].as_array_mut() {
                rows.push(Value::Null);
            }
        });
        self.add("a null among the items", odd, (Fails, Fails));
    }

    fn wrong_read_back(&mut self) {
        let first = |change: Change| {
            Fault::edit(move |body| {
                if let Some(item) = body["items"].as_array_mut().and_then(|items| items.first_mut()) {
                    change(item);
                }
            })
        };
        let odd = first(|item| item["interfaces"][0]["id"] = 0.into());
        self.add("an item with id 0", odd, (Frozen, Frozen));
        let edits: [(&str, Change); 3] = [
            ("an item without interfaces", |item| {
                item.as_object_mut().unwrap().remove("interfaces");
            }),
            ("an item with a wrong MAC", |item| {
                item["interfaces"][0]["macAddress"] = "zz".into();
            }),
            ("an item that is null", |item| *item = Value::Null),
        ];
        for (name, change) in edits {
            self.add(name, first(change), (Fails, Fails));
        }
        let twice = Fault::edit(|body| {
            let items = body["items"].as_array_mut().unwrap();
            items.extend(items.clone());
        });
        self.add("an item twice", twice, (Fails, Fails));
        let circle = Fault::edit(|body| body["nextCursor"] = "a".into());
        self.add("a cursor in a circle", circle, (Either, Fails));
        self.add(
            "a cursor of the wrong type",
            Fault::edit(|body| body["nextCursor"] = 5.into()),
            (Fails, Fails),
        );
    }

    /// The receiver has taken everything; its answer does not say so.
    fn wrong_results(&mut self) {
        let edits: [(&str, Change); 4] = [
            ("a result missing", |body| {
                body["results"].as_array_mut().unwrap().pop();
            }),
            ("no results at all", |body| body["results"] = json!([])),
            ("an unknown status", |body| {
                body["results"][0]["status"] = "perhaps".into();
            }),
            ("a null among the results", |body| body["results"][0] = Value::Null),
        ];
        for (name, change) in edits {
            self.add(name, Fault::edit(change), (Fails, Fails));
        }
    }
}
