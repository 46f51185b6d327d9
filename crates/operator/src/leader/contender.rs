//! Who leads, decided without a network and without a clock: a state that is asked what to do next and told what came
//! of it.
//!
//! Two rules keep two replicas from writing at once. The holder may write until `renew_deadline` after the *beginning*
//! of its last successful renewal. Another may take the lease once it has itself *seen it unchanged* for the whole
//! lease duration, which is longer. Both count on their own clock; the times in the lease are for people.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::timing::{MAX_LEASE, Timing};

/// A lease as the API server holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    /// `None`: released.
    pub holder: Option<String>,
    /// How long the holder asks others to wait; `None`: it does not say.
    pub duration: Option<Duration>,
    pub acquired: Option<Timestamp>,
    pub renewed: Option<Timestamp>,
    pub transitions: i32,
    /// The resource version.
    pub version: String,
}

/// A request to the API server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    Read,
    Create(Record),
    /// Only while the version is the record's.
    Replace(Record),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It was read or written; this is how it stands.
    Stands(Record),
    /// There is none.
    Absent,
    /// Somebody else wrote in between.
    Conflict,
    /// Nobody knows whether it was done.
    Unknown,
}

/// What to do now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Send(Request),
    Wait(Duration),
}

/// The lease as it was last seen, and since when it has been so, on our clock.
#[derive(Clone, Debug)]
struct Seen {
    record: Option<Record>,
    since: Duration,
    /// It is gone, and was there before: somebody may have held it to the last and not know that it is gone.
    contested: bool,
}

/// One replica's part in the election.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    identity: String,
    timing: Timing,
    seen: Option<Seen>,
    /// What was seen may be outdated.
    stale: bool,
    /// Until when we may write.
    until: Option<Duration>,
    /// Nothing is asked before.
    next_at: Duration,
}

impl Contender {
    /// `identity` must be this process's alone: whoever reads its own name in the lease believes it.
    pub fn new(identity: String, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            seen: None,
            stale: true,
            until: None,
            next_at: Duration::ZERO,
        }
    }

    /// Until when writing is allowed; `None` when we do not lead.
    pub fn leads_until(&self, now: Duration) -> Option<Duration> {
        self.until.filter(|until| now < *until)
    }

    /// Who holds the lease, as far as we know.
    pub fn holder(&self) -> Option<&str> {
        self.seen.as_ref()?.record.as_ref()?.holder.as_deref()
    }

    /// Whether the lease must be read before anything can be written.
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// What to do at `now`; `wall` only goes into the lease for people to read.
    pub fn next(&mut self, now: Duration, wall: Timestamp) -> Next {
        self.end_if_over(now);
        if now < self.next_at {
            return Next::Wait(self.next_at.saturating_sub(now));
        }
        match &self.seen {
            Some(seen) if !self.stale && self.may_write(seen, now) => {
                let request = self.claim(seen, wall);
                self.stale = true;
                Next::Send(request)
            }
            _ => Next::Send(Request::Read),
        }
    }

    /// The answer to `request`, which was sent at `began`, has come at `now`.
    pub fn answered(&mut self, request: &Request, answer: Answer, began: Duration, now: Duration) {
        self.end_if_over(now);
        match answer {
            Answer::Stands(record) => {
                let wrote = *request != Request::Read;
                self.see(Some(record), now);
                if wrote {
                    self.lead(began);
                } else {
                    self.wait_for_turn(now);
                }
            }
            Answer::Absent => {
                self.until = None;
                self.see(None, now);
                self.wait_for_turn(now);
            }
            // The read that follows at once says who.
            Answer::Conflict => (self.stale, self.next_at) = (true, now),
            Answer::Unknown => (self.stale, self.next_at) = (true, now + self.timing.retry()),
        }
    }

    /// Stops leading and says what to write so that others need not wait; `None` when the lease is not ours.
    pub fn release(&mut self, wall: Timestamp) -> Option<Record> {
        self.until = None;
        let record = self.seen.as_ref()?.record.as_ref()?;
        (!self.stale && self.is_mine(record)).then(|| Record {
            holder: None,
            duration: Some(Duration::from_secs(1)),
            renewed: Some(later(record.renewed, wall)),
            ..record.clone()
        })
    }

    fn end_if_over(&mut self, now: Duration) {
        self.until = self.leads_until(now);
    }

    /// A renewal or a take-over succeeded.
    fn lead(&mut self, began: Duration) {
        self.until = Some(began + self.timing.renew_deadline());
        self.next_at = began + self.timing.retry();
    }

    fn see(&mut self, record: Option<Record>, now: Duration) {
        self.stale = false;
        if record.as_ref().is_some_and(|record| !self.is_mine(record)) {
            self.until = None;
        }
        if self.seen.as_ref().is_some_and(|seen| seen.record == record) {
            return;
        }
        let contested = record.is_none() && self.seen.is_some();
        self.seen = Some(Seen {
            record,
            since: now,
            contested,
        });
    }

    /// After a read: at once when the lease can be had, else when it runs out or after the usual pause.
    fn wait_for_turn(&mut self, now: Duration) {
        self.next_at = match &self.seen {
            Some(seen) => now + self.timing.retry().min(self.turn(seen).saturating_sub(now)),
            None => now + self.timing.retry(),
        };
    }

    fn may_write(&self, seen: &Seen, now: Duration) -> bool {
        now >= self.turn(seen)
    }

    /// From when on the lease can be had, on our clock.
    fn turn(&self, seen: &Seen) -> Duration {
        match &seen.record {
            Some(record) if self.is_theirs(record) => {
                let asked = record.duration.unwrap_or_default().min(MAX_LEASE);
                seen.since + asked.max(self.timing.lease())
            }
            None if seen.contested => seen.since + self.timing.lease(),
            _ => Duration::ZERO,
        }
    }

    fn is_mine(&self, record: &Record) -> bool {
        record.holder.as_ref() == Some(&self.identity)
    }

    fn is_theirs(&self, record: &Record) -> bool {
        record.holder.is_some() && !self.is_mine(record)
    }

    fn claim(&self, seen: &Seen, wall: Timestamp) -> Request {
        let mut record = Record {
            holder: Some(self.identity.clone()),
            duration: Some(self.timing.lease()),
            acquired: Some(wall),
            renewed: Some(wall),
            transitions: 0,
            version: String::new(),
        };
        let Some(before) = &seen.record else {
            return Request::Create(record);
        };
        record.version.clone_from(&before.version);
        record.renewed = Some(later(before.renewed, wall));
        if self.is_mine(before) {
            (record.acquired, record.transitions) = (before.acquired, before.transitions);
        } else {
            record.transitions = before.transitions.saturating_add(1);
        }
        Request::Replace(record)
    }
}

/// `wall`, but always another time than before: a renewal that changes nothing would not be seen as one.
fn later(before: Option<Timestamp>, wall: Timestamp) -> Timestamp {
    const STEP: Duration = Duration::from_micros(1);
    match before.and_then(|before| before.checked_add(STEP).ok()) {
        Some(least) if least > wall => least,
        _ => wall,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "me";

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wall() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn held_by(holder: &str, version: &str) -> Record {
        Record {
            holder: (!holder.is_empty()).then(|| holder.to_owned()),
            duration: Some(seconds(15)),
            acquired: None,
            renewed: Some(wall()),
            transitions: 4,
            version: version.to_owned(),
        }
    }

    /// A contender that has read `answer` at second 100.
    fn having_read(answer: Answer) -> Contender {
        let mut contender = Contender::new(ME.to_owned(), Timing::default());
        assert_eq!(contender.next(seconds(100), wall()), Next::Send(Request::Read));
        contender.answered(&Request::Read, answer, seconds(100), seconds(100));
        contender
    }

    fn written(next: Next) -> Record {
        match next {
            Next::Send(Request::Replace(record) | Request::Create(record)) => record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_free_or_released_or_own_lease_is_taken_at_once() {
        let created = having_read(Answer::Absent).next(seconds(100), wall());
        assert!(matches!(created, Next::Send(Request::Create(_))), "{created:?}");
        for (holder, transitions) in [("", 5), (ME, 4)] {
            let record = written(having_read(Answer::Stands(held_by(holder, "7"))).next(seconds(100), wall()));
            assert_eq!(record.holder.as_deref(), Some(ME));
            assert_eq!(
                (record.transitions, record.version.as_str()),
                (transitions, "7"),
                "{holder:?}"
            );
        }
    }

    #[test]
    fn a_foreign_lease_is_taken_only_after_it_was_seen_unchanged_for_its_whole_duration() {
        let lease = Answer::Stands(held_by("other", "7"));
        let mut contender = having_read(lease.clone());
        for second in 102..115 {
            let request = match contender.next(seconds(second), wall()) {
                Next::Send(request) => request,
                Next::Wait(_) => continue,
            };
            assert_eq!(request, Request::Read, "second {second}");
            contender.answered(&request, lease.clone(), seconds(second), seconds(second));
        }
        assert_eq!(written(contender.next(seconds(115), wall())).transitions, 5);
    }

    #[test]
    fn a_renewal_seen_begins_the_wait_anew() {
        let mut contender = having_read(Answer::Stands(held_by("other", "7")));
        contender.answered(
            &Request::Read,
            Answer::Stands(held_by("other", "8")),
            seconds(114),
            seconds(114),
        );
        assert_eq!(contender.next(seconds(116), wall()), Next::Send(Request::Read));
        contender.answered(
            &Request::Read,
            Answer::Stands(held_by("other", "8")),
            seconds(128),
            seconds(128),
        );
        assert_eq!(contender.next(seconds(128), wall()), Next::Wait(seconds(1)));
    }

    #[test]
    fn a_longer_duration_in_the_lease_is_respected_up_to_a_bound() {
        for (asked, turn) in [(30, 130), (1, 115), (1_000_000, 700)] {
            let mut record = held_by("other", "7");
            record.duration = Some(seconds(asked));
            let contender = having_read(Answer::Stands(record));
            assert_eq!(contender.turn(contender.seen.as_ref().unwrap()), seconds(turn));
        }
    }

    #[test]
    fn a_lease_that_vanishes_may_still_be_counted_on_by_its_holder() {
        let mut contender = having_read(Answer::Stands(held_by("other", "7")));
        contender.answered(&Request::Read, Answer::Absent, seconds(102), seconds(102));
        assert_eq!(contender.next(seconds(104), wall()), Next::Send(Request::Read));
        contender.answered(&Request::Read, Answer::Absent, seconds(117), seconds(117));
        assert!(matches!(
            contender.next(seconds(117), wall()),
            Next::Send(Request::Create(_))
        ));
    }

    #[test]
    fn writing_is_allowed_from_the_beginning_of_the_renewal_not_from_its_answer() {
        let mut contender = having_read(Answer::Absent);
        let Next::Send(request) = contender.next(seconds(100), wall()) else {
            panic!("nothing to send")
        };
        contender.answered(&request, Answer::Stands(held_by(ME, "1")), seconds(100), seconds(104));
        assert_eq!(contender.leads_until(seconds(104)), Some(seconds(110)));
        assert_eq!(contender.leads_until(seconds(110)), None);
    }

    #[test]
    fn every_renewal_changes_the_lease_although_the_wall_clock_stands_still() {
        let record = written(having_read(Answer::Stands(held_by(ME, "7"))).next(seconds(100), wall()));
        assert!(record.renewed > Some(wall()));
    }

    #[test]
    fn a_released_lease_has_no_holder() {
        let released = having_read(Answer::Stands(held_by(ME, "7"))).release(wall()).unwrap();
        assert_eq!((released.holder, released.version.as_str()), (None, "7"));
        assert_eq!(having_read(Answer::Stands(held_by("other", "7"))).release(wall()), None);
    }
}
