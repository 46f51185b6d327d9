//! The two replicas, and what is done to them and to their API server.

use rand::{RngExt, rngs::StdRng};
use stage::{Failure, Replica, Signal, Stage, USERS};

/// Both; one that was killed is absent until it is started again.
pub struct Replicas {
    running: [Option<Replica>; 2],
    paused: Option<usize>,
    kills: usize,
    pauses: usize,
    restarts: usize,
}

impl Replicas {
    /// Starts both.
    pub fn start(stage: &Stage) -> Result<Self, Failure> {
        Ok(Self {
            running: [
                Some(Replica::start(stage, USERS[0], &[])?),
                Some(Replica::start(stage, USERS[1], &[])?),
            ],
            paused: None,
            kills: 0,
            pauses: 0,
            restarts: 0,
        })
    }

    /// Those that run.
    pub fn all(&self) -> impl Iterator<Item = &Replica> {
        self.running.iter().flatten()
    }

    /// Kills, stops, resumes or starts one, or does something to the API server.
    pub async fn disturb(&mut self, stage: &Stage, random: &mut StdRng, kills: bool) -> Result<(), Failure> {
        let which = random.random_range(0..2);
        match random.random_range(0..8) {
            0..3 if kills => self.kill_or_start(stage, which)?,
            3 if kills => self.pause_or_resume(which)?,
            4 => stage.kubernetes.drop_watches(),
            5 => {
                stage.kubernetes.compact();
                stage.kubernetes.drop_watches();
            }
            _ => {
                stage.kubernetes.restart().await?;
                self.restarts += 1;
            }
        }
        Ok(())
    }

    fn kill_or_start(&mut self, stage: &Stage, which: usize) -> Result<(), Failure> {
        match self.running[which].take() {
            Some(replica) => {
                replica.kill()?;
                self.paused.take_if(|paused| *paused == which);
                self.kills += 1;
            }
            None => self.running[which] = Some(Replica::start(stage, USERS[which], &[])?),
        }
        Ok(())
    }

    fn pause_or_resume(&mut self, which: usize) -> Result<(), Failure> {
        match (self.paused, &self.running[which]) {
            (Some(paused), _) => {
                if let Some(replica) = &self.running[paused] {
                    replica.signal(Signal::CONT)?;
                }
                self.paused = None;
            }
            (None, Some(replica)) => {
                replica.signal(Signal::STOP)?;
                self.paused = Some(which);
                self.pauses += 1;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Both run, and none is stopped.
    pub fn all_up(&mut self, stage: &Stage) -> Result<(), Failure> {
        if self.paused.is_some() {
            self.pause_or_resume(0)?;
        }
        for (which, running) in self.running.iter_mut().enumerate() {
            if running.is_none() {
                *running = Some(Replica::start(stage, USERS[which], &[])?);
            }
        }
        self.check()
    }

    /// None has ended by itself.
    pub fn check(&mut self) -> Result<(), Failure> {
        for replica in self.running.iter_mut().flatten() {
            if let Some(status) = replica.ended()? {
                return Err(format!("a replica ended by itself: {status}").into());
            }
        }
        Ok(())
    }

    /// What was done to them.
    pub fn summary(&self) -> String {
        let Self {
            kills,
            pauses,
            restarts,
            ..
        } = self;
        format!("{kills} kills, {pauses} stops, {restarts} restarts of the Kubernetes API")
    }

    /// The end of both logs.
    pub fn logs(&self, stage: &Stage) -> Result<String, Failure> {
        let mut text = String::new();
        for user in USERS {
            let log = std::fs::read_to_string(stage.folder.path().join(format!("{user}.log")))?;
            let lines: Vec<_> = log.lines().collect();
            let end = &lines[lines.len().saturating_sub(60)..];
            text.push_str(&format!("--- the log of {user} ends\n{}\n", end.join("\n")));
        }
        Ok(text)
    }
}
