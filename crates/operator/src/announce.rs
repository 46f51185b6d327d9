//! Events on objects: said once, never waited for.

use std::{collections::HashMap, time::Duration};

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use tokio::{sync::mpsc, time::Instant};

use crate::client::is_fenced;

/// How much an Event matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, strum::IntoStaticStr)]
pub enum Severity {
    /// Good to know.
    Normal,
    /// Somebody should look.
    Warning,
}

/// Writes Events. Cheap to clone; never blocks and never fails.
#[derive(Clone, Debug)]
pub struct Announcer {
    queue: Option<mpsc::Sender<Announcement>>,
}

#[derive(Clone, Debug)]
struct Announcement {
    object: ObjectReference,
    severity: Severity,
    reason: &'static str,
    note: String,
}

/// Events that wait to be written; further ones are dropped.
const QUEUE: usize = 256;
/// The same Event is not repeated within this time.
const SILENCE: Duration = Duration::from_hours(1);
/// Events remembered so that they are not repeated; beyond it the oldest is forgotten.
const REMEMBERED: usize = 4096;
/// As the API server allows.
const MAX_NOTE: usize = 1024;
const MAX_NAME: usize = 253;
const MAX_INSTANCE: usize = 128;
const CONTROLLER: &str = "multinic.example.com/operator";

impl Announcer {
    /// Says nothing: for tests.
    pub const fn silent() -> Self {
        Self { queue: None }
    }

    /// An announcer and the work behind it, which ends when the last clone is gone. `instance` is the replica's name.
    pub fn new(client: Client, instance: &str) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let writer = Writer {
            client,
            instance: cut(instance, MAX_INSTANCE).to_owned(),
            memory: Memory::default(),
        };
        (Self { queue: Some(queue) }, writer.run(waiting))
    }

    /// Queues an Event on `object`. The same Event within an hour is dropped; so is one for which the queue has no room.
    pub fn announce(&self, object: &ObjectReference, severity: Severity, reason: &'static str, note: String) {
        let Some(queue) = &self.queue else { return };
        let announcement = Announcement {
            object: object.clone(),
            severity,
            reason,
            note,
        };
        if queue.try_send(announcement).is_err() {
            tracing::debug!(reason, "an Event was dropped: too many wait");
        }
    }
}

struct Writer {
    client: Client,
    instance: String,
    memory: Memory,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Announcement>) {
        while let Some(announcement) = waiting.recv().await {
            let key = Key::of(&announcement);
            if self.memory.has(&key, Instant::now()) {
                continue;
            }
            match self.write(&announcement).await {
                Ok(()) => self.memory.keep(key, Instant::now()),
                Err(error) if is_fenced(&error) => {}
                Err(error) => tracing::warn!(
                    reason = announcement.reason,
                    %error,
                    "failed to write an Event; check the Role for events.events.k8s.io"
                ),
            }
        }
    }

    async fn write(&self, announcement: &Announcement) -> Result<(), kube::Error> {
        let event = self.event(announcement, Timestamp::now());
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        api.create(&PostParams::default(), &event).await.map(drop)
    }

    fn event(&self, announcement: &Announcement, now: Timestamp) -> Event {
        let severity: &'static str = announcement.severity.into();
        let suffix = format!(".{:x}{:04x}", now.as_microsecond(), rand::random::<u16>());
        let name = announcement.object.name.as_deref().unwrap_or("multinic");
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{}{suffix}", cut(name, MAX_NAME - suffix.len()))),
                // Events on objects without a namespace are kept in this one.
                namespace: Some(
                    announcement
                        .object
                        .namespace
                        .clone()
                        .unwrap_or_else(|| "default".to_owned()),
                ),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            action: Some("Reconcile".to_owned()),
            reason: Some(announcement.reason.to_owned()),
            note: Some(cut(&announcement.note, MAX_NOTE).to_owned()),
            type_: Some(severity.to_owned()),
            regarding: Some(announcement.object.clone()),
            ..Event::default()
        }
    }
}

/// What makes two Events the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    object: [Option<String>; 4],
    severity: Severity,
    reason: &'static str,
    note: String,
}

impl Key {
    fn of(announcement: &Announcement) -> Self {
        let object = announcement.object.clone();
        Self {
            object: [object.kind, object.namespace, object.name, object.uid],
            severity: announcement.severity,
            reason: announcement.reason,
            note: announcement.note.clone(),
        }
    }
}

/// What was said within the hour.
#[derive(Debug, Default)]
struct Memory {
    said: HashMap<Key, Instant>,
}

impl Memory {
    fn has(&mut self, key: &Key, now: Instant) -> bool {
        self.said.retain(|_, at| now.duration_since(*at) < SILENCE);
        self.said.contains_key(key)
    }

    fn keep(&mut self, key: Key, now: Instant) {
        if self.said.len() >= REMEMBERED
            && let Some(oldest) = self.said.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone())
        {
            self.said.remove(&oldest);
        }
        self.said.insert(key, now);
    }
}

/// At most `max` bytes of `text`, whole characters.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(name: &str, note: &str) -> Announcement {
        Announcement {
            object: ObjectReference {
                kind: Some("OpenstackConfig".to_owned()),
                namespace: Some("default".to_owned()),
                name: Some(name.to_owned()),
                ..ObjectReference::default()
            },
            severity: Severity::Warning,
            reason: "SettingsRejected",
            note: note.to_owned(),
        }
    }

    #[test]
    fn the_same_event_is_said_once_an_hour_and_another_note_is_another_event() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        let key = Key::of(&announcement("a", "why"));
        assert!(!memory.has(&key, now));
        memory.keep(key.clone(), now);
        assert!(memory.has(&key, now + Duration::from_mins(59)));
        assert!(!memory.has(&Key::of(&announcement("a", "other")), now));
        assert!(!memory.has(&Key::of(&announcement("b", "why")), now));
        assert!(!memory.has(&key, now + SILENCE));
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        for index in 0..=REMEMBERED {
            let at = now + Duration::from_millis(index as u64);
            memory.keep(Key::of(&announcement(&index.to_string(), "")), at);
        }
        assert_eq!(memory.said.len(), REMEMBERED);
        assert!(!memory.has(&Key::of(&announcement("0", "")), now + Duration::from_mins(1)));
        assert!(memory.has(&Key::of(&announcement("1", "")), now + Duration::from_mins(1)));
    }

    #[tokio::test]
    async fn an_event_stays_within_what_the_api_server_takes() {
        let config = kube::Config::new("http://127.0.0.1:9".parse().unwrap());
        let writer = Writer {
            client: Client::try_from(config).unwrap(),
            instance: "me".to_owned(),
            memory: Memory::default(),
        };
        let event = writer.event(
            &announcement(&"n".repeat(253), &"가".repeat(1000)),
            Timestamp::UNIX_EPOCH,
        );
        assert!(event.metadata.name.unwrap().len() <= MAX_NAME);
        let note = event.note.unwrap();
        assert!(note.len() <= MAX_NOTE && note.len() > MAX_NOTE - 3, "{}", note.len());
        assert_eq!(event.type_.as_deref(), Some("Warning"));
    }
}
