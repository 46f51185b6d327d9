//! What a version of a node looks like.

use serde_json::{Value, json};

/// Which version of which node of which writer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Version {
    pub writer: usize,
    pub node: usize,
    pub number: u64,
}

impl Version {
    pub fn name(self) -> String {
        format!("worker-{}-{}", self.writer, self.node)
    }

    /// Interfaces come and go with the versions: none to four of them.
    pub fn config(self) -> Value {
        let interface = |id: u64| {
            let Self { writer, node, number } = self;
            json!({"id": id, "macAddress": format!("02:00:{writer:02x}:{:02x}:{:02x}:{id:02x}", node >> 8, node & 255),
                "address": format!("10.{writer}.{node}.{id}"), "cidr": "10.0.0.0/8", "mtu": 1000 + number % 1000})
        };
        let interfaces: Vec<_> = (1..=self.number % 5).map(interface).collect();
        json!({"nodeName": self.name(), "instanceId": format!("i-{}-{}-{}", self.writer, self.node, self.number),
            "interfaces": interfaces})
    }

    /// Which version this is. Fails if it is not exactly what was sent.
    pub fn of(config: &Value) -> Self {
        let instance = config["instanceId"].as_str().unwrap_or_default();
        let mut parts = instance.split('-').skip(1).map(|part| part.parse::<u64>().unwrap());
        let mut part = || parts.next().unwrap_or_else(|| panic!("no writer's node: {config}"));
        let version = Self {
            writer: usize::try_from(part()).unwrap(),
            node: usize::try_from(part()).unwrap(),
            number: part(),
        };
        let found = json!({"nodeName": config["nodeName"], "instanceId": config["instanceId"],
            "interfaces": config["interfaces"]});
        assert_eq!(found, version.config(), "a node that is half there");
        version
    }
}
