//! The recorded messages, and how a decoded one is written down.

use std::{fmt::Write, fs, path::PathBuf};

use multinic_model::InstanceId;
use multinic_notifications::{Hint, Message};
use serde_json::Value;

pub fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

/// Name and body of every recorded message, by name.
pub fn messages() -> Vec<(String, String)> {
    let files = fs::read_dir(fixtures()).unwrap().map(|file| file.unwrap().path());
    let mut messages: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, recorded["raw_body"].as_str().unwrap().to_owned())
        })
        .collect();
    messages.sort();
    assert!(messages.len() > 30, "the recorded messages are missing");
    messages
}

/// One line for the message, and one for each of its hints.
pub fn show(message: &Message) -> String {
    let sent = message.sent_at.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let mut text = format!("  {} {} {sent}\n", message.kind, message.outcome);
    for hint in &message.hints {
        writeln!(text, "  {}", line(hint)).unwrap();
    }
    text
}

fn line(hint: &Hint) -> String {
    let flags = |flags: &[(&str, bool)]| {
        flags
            .iter()
            .filter(|(_, set)| *set)
            .fold(String::new(), |text, (name, _)| text + " " + name)
    };
    match hint {
        Hint::Server(server) => format!(
            "server {} project {} name {}{}",
            server.instance,
            or_dash(server.project.as_ref()),
            or_dash(server.name.as_ref()),
            flags(&[
                ("server", server.server),
                ("ports", server.ports),
                ("gone", server.gone),
                ("detached", server.detached)
            ])
        ),
        Hint::Port(port) => format!(
            "port {} mac {} devices {:?} now {} addresses {}{}",
            port.port,
            or_dash(port.mac.as_ref()),
            port.devices.iter().map(InstanceId::as_str).collect::<Vec<_>>(),
            or_dash(port.device.as_ref()),
            port.addresses.as_ref().map_or_else(
                || "-".to_owned(),
                |addresses| format!("{:?}", addresses.iter().collect::<Vec<_>>())
            ),
            flags(&[("gone", port.gone)])
        ),
        Hint::Subnet(subnet) => format!(
            "subnet {} name {} network {}",
            subnet.subnet,
            or_dash(subnet.name.as_ref()),
            or_dash(subnet.network.as_ref())
        ),
        Hint::Network(network) => format!("network {}", network.network),
    }
}

fn or_dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}
