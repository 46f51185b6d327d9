//! A watch that takes itself up again where it broke off.

use std::{collections::VecDeque, time::Duration};

use multinic_model::ClusterId;
use multinic_transport::{Opened, Stream, printable};
use reqwest::header::{ACCEPT, HeaderName};
use serde_json::Value;
use url::Url;

use crate::{
    ApiReader, ReadError,
    events::{Event, Parser},
    reader::{MAX_ANSWER, named},
};

/// The server gives a sign of life every 15 seconds.
const PATIENCE: Duration = Duration::from_secs(50);

/// The first and the longest pause before a broken watch is taken up again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What a watch tells.
#[derive(Debug)]
pub enum Told {
    /// A node as it is now.
    Node(Value),
    /// Every node was told; from here on there are changes.
    Synced,
    /// A change.
    Change {
        /// `created`, `updated` or `deleted`.
        kind: String,
        /// Its number within the cluster.
        sequence: u64,
        /// What it says.
        change: Value,
    },
    /// The watch broke; it is taken up again when the next thing is asked for, and nothing is missed.
    Broken(ReadError),
    /// Changes were missed that the server has forgotten: every node is told again.
    Restarted,
}

/// A watch. It ends with an error that waiting does not mend, never otherwise.
#[derive(Debug)]
pub struct Watch<'a> {
    reader: &'a ApiReader,
    url: Url,
    cluster: ClusterId,
    last: Option<u64>,
    open: Option<(Stream, Parser)>,
    ready: VecDeque<Told>,
    failures: u32,
    was_open: bool,
    /// Nodes were told since the beginning that cannot be taken up.
    has_begun: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(reader: &'a ApiReader, url: Url, cluster: ClusterId) -> Self {
        Self {
            reader,
            url,
            cluster,
            last: None,
            open: None,
            ready: VecDeque::new(),
            failures: 0,
            was_open: false,
            has_begun: false,
        }
    }

    /// The next thing, whenever it comes. What fails before the watch was open for the first time is an error.
    pub async fn next(&mut self) -> Result<Told, ReadError> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Ok(told);
            }
            if let Err(error) = self.step().await {
                self.open = None;
                let is_over = !self.was_open || !error.is_passing();
                self.failures += 1;
                return if is_over { Err(error) } else { Ok(Told::Broken(error)) };
            }
        }
    }

    async fn step(&mut self) -> Result<(), ReadError> {
        let Some((stream, parser)) = &mut self.open else {
            return self.connect().await;
        };
        let piece = stream.next(PATIENCE).await.map_err(|source| ReadError::Unreachable {
            url: self.url.to_string(),
            source,
        })?;
        // The server ends its watches when it stops, and when they fall too far behind.
        let Some(piece) = piece else {
            self.open = None;
            self.failures += 1;
            return Ok(());
        };
        let events = parser.feed(&piece);
        let events = events.map_err(|_| self.misunderstood("an event is too long"))?;
        events.into_iter().try_for_each(|event| self.take(&event))
    }

    async fn connect(&mut self) -> Result<(), ReadError> {
        self.pause().await;
        let build = |http: &reqwest::Client| {
            let request = named(http.get(self.url.clone()), Some(&self.cluster)).header(ACCEPT, "text/event-stream");
            match self.last {
                Some(last) => request.header(LAST_EVENT_ID, last),
                None => request,
            }
        };
        let opened = self.reader.api.open(PATIENCE, MAX_ANSWER, build).await;
        let opened = opened.map_err(|source| ReadError::Unreachable {
            url: self.url.to_string(),
            source,
        })?;
        match opened {
            Opened::Stream(stream) => {
                self.open = Some((stream, Parser::default()));
                self.was_open = true;
                if self.last.is_none() && std::mem::take(&mut self.has_begun) {
                    self.ready.push_back(Told::Restarted);
                }
                Ok(())
            }
            Opened::Refused(answer) if answer.status.as_u16() == 410 && self.last.is_some() => {
                self.last = None;
                Ok(())
            }
            Opened::Refused(answer) => Err(self.reader.refusal(&self.url, &answer)),
        }
    }

    /// None before the first attempt; each failure in a row doubles it.
    async fn pause(&self) {
        if let Some(doublings) = self.failures.checked_sub(1) {
            let pause = FIRST_PAUSE.saturating_mul(1 << doublings.min(10)).min(LONGEST_PAUSE);
            self.reader.api.pauses().spend(pause).await;
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), ReadError> {
        let data = serde_json::from_str(&event.data).map_err(|error| self.misunderstood(&error.to_string()))?;
        let id = event.id.as_ref().map(|id| id.parse::<u64>());
        let id = id.transpose().map_err(|error| self.misunderstood(&error.to_string()))?;
        self.failures = 0;
        self.has_begun = true;
        let told = match (event.kind.as_str(), id) {
            ("node", _) => Told::Node(data),
            ("synced", Some(_)) => Told::Synced,
            ("created" | "updated" | "deleted", Some(sequence)) => Told::Change {
                kind: event.kind.clone(),
                sequence,
                change: data,
            },
            // A newer server's.
            _ => return Ok(()),
        };
        self.last = id.or(self.last);
        self.ready.push_back(told);
        Ok(())
    }

    fn misunderstood(&self, reason: &str) -> ReadError {
        ReadError::Answer {
            url: self.url.to_string(),
            reason: printable(reason),
        }
    }
}
