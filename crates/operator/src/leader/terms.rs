//! Work that runs while this replica leads, and only then.

use std::time::Duration;

use tokio::{sync::watch, task::JoinError, time::timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::elector::Elector;

/// How this replica comes to lead.
pub enum Leadership {
    /// It is the only one.
    Alone,
    /// By the lease.
    Elected(Box<Elector>),
}

/// When terms begin and end.
pub struct Terms {
    /// How it comes to lead.
    pub leadership: Leadership,
    /// Whether it leads now.
    pub leads: watch::Sender<bool>,
    /// How long the work may take to stop by itself when the process ends.
    pub grace: Duration,
}

/// Why leading ended before it was asked to. The process should end too: an operator that only looks alive helps nobody.
#[derive(Debug, thiserror::Error)]
pub enum TermError<E: std::error::Error + 'static> {
    /// The work failed.
    #[error("failed to go on working")]
    Failed(#[source] E),
    /// The work ended by itself.
    #[error("the work ended although nobody asked it to")]
    Ended,
    /// The work panicked.
    #[error("the work broke down")]
    Panicked(#[source] JoinError),
}

impl Leadership {
    async fn acquire(&mut self) {
        if let Self::Elected(elector) = self {
            elector.acquire().await;
        }
    }

    /// Ends when the lease is lost.
    async fn hold(&mut self) {
        match self {
            Self::Alone => std::future::pending().await,
            Self::Elected(elector) => drop(elector.hold().await),
        }
    }

    async fn release(&mut self) {
        if let Self::Elected(elector) = self {
            elector.release().await;
        }
    }
}

impl Terms {
    /// Runs `work` in each term until `shutdown`. The work is told by its token to stop, and is dropped when it does not
    /// within the grace time, or at once when the lease is lost. It has ended before another term begins.
    pub async fn run<E, W>(
        mut self,
        shutdown: CancellationToken,
        work: impl Fn(CancellationToken) -> W,
    ) -> Result<(), TermError<E>>
    where
        E: std::error::Error + Send + 'static,
        W: Future<Output = Result<(), E>> + Send + 'static,
    {
        let mut ended = Ok(());
        while ended.is_ok() {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = self.leadership.acquire() => {}
            }
            self.leads.send_replace(true);
            ended = self.term(&shutdown, &work).await;
            self.leads.send_replace(false);
        }
        self.leadership.release().await;
        ended
    }

    async fn term<E, W>(
        &mut self,
        shutdown: &CancellationToken,
        work: impl Fn(CancellationToken) -> W,
    ) -> Result<(), TermError<E>>
    where
        E: std::error::Error + Send + 'static,
        W: Future<Output = Result<(), E>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let mut task = AbortOnDropHandle::new(tokio::spawn(work(stop.clone())));
        tokio::select! {
            biased;
            () = self.leadership.hold() => {}
            ended = &mut task => return Err(TermError::of(ended)),
            () = shutdown.cancelled() => {
                stop.cancel();
                tokio::select! {
                    biased;
                    () = self.leadership.hold() => {}
                    ended = timeout(self.grace, &mut task) => if let Ok(ended) = ended {
                        return TermError::when_stopped(ended);
                    }
                }
            }
        }
        task.abort();
        // What is aborted ends at its next pause; a term that begins before that would have two of them.
        TermError::when_stopped((&mut task).await)
    }
}

impl<E: std::error::Error + 'static> TermError<E> {
    /// The end of work that was to stop.
    fn when_stopped(ended: Result<Result<(), E>, JoinError>) -> Result<(), Self> {
        match ended {
            Ok(Err(error)) => Err(Self::Failed(error)),
            Err(error) if error.is_panic() => Err(Self::Panicked(error)),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// The end of work that was to go on.
    fn of(ended: Result<Result<(), E>, JoinError>) -> Self {
        match ended {
            Ok(Ok(())) => Self::Ended,
            Ok(Err(error)) => Self::Failed(error),
            Err(error) => Self::Panicked(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use super::*;

    fn alone() -> Terms {
        Terms {
            leadership: Leadership::Alone,
            leads: watch::Sender::new(false),
            grace: Duration::from_secs(10),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_fails_ends_or_panics_ends_the_process() {
        let never = CancellationToken::new();
        let failed = alone()
            .run(never.clone(), |_| async { Err(io::Error::other("x")) })
            .await;
        assert!(matches!(failed, Err(TermError::Failed(_))), "{failed:?}");
        let ended = alone().run(never.clone(), |_| async { Ok::<_, io::Error>(()) }).await;
        assert!(matches!(ended, Err(TermError::Ended)), "{ended:?}");
        let panicked = alone()
            .run(never, |_| async {
                assert!(std::hint::black_box(false), "on purpose");
                Ok::<_, io::Error>(())
            })
            .await;
        assert!(matches!(panicked, Err(TermError::Panicked(_))), "{panicked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_stops_when_told_may_finish() {
        let (shutdown, finished) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        shutdown.cancel();
        let terms = alone();
        let mut leads = terms.leads.subscribe();
        let (told, done) = (CancellationToken::new(), Arc::clone(&finished));
        let begun = told.clone();
        let run = terms.run(told.clone(), move |stop| {
            let (done, begun) = (Arc::clone(&done), begun.clone());
            async move {
                begun.cancel();
                stop.cancelled().await;
                tokio::time::sleep(Duration::from_secs(9)).await;
                done.store(true, Ordering::SeqCst);
                Ok::<_, io::Error>(())
            }
        });
        run.await.unwrap();
        assert!(finished.load(Ordering::SeqCst));
        assert!(!*leads.borrow_and_update());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_stop_is_dropped_after_the_grace_time() {
        let shutdown = CancellationToken::new();
        let begun = shutdown.clone();
        let started = tokio::time::Instant::now();
        let run = alone().run(shutdown, move |_| {
            begun.cancel();
            std::future::pending::<io::Result<()>>()
        });
        run.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 10);
    }
}
