//! Keeps the links of one provider up, as Contrabass knows them now.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use multinic_notifications::LinkSettings;
use secrecy::ExposeSecret;
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{
    LinksPace, Source,
    ear::Ear,
    hub::{DeskKey, Hub},
};

/// One provider's keeper. Dropping its future ends the links.
pub(super) struct Keeper {
    pub key: DeskKey,
    pub source: Arc<dyn Source>,
    pub hub: Arc<Hub>,
    pub pace: LinksPace,
}

/// The links under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    links: BTreeMap<u64, (LinkSettings, AbortHandle)>,
    begun: u64,
}

impl Keeper {
    /// Never returns.
    pub async fn keep(self) {
        let (mut running, refused) = (Running::default(), Arc::new(Notify::new()));
        let mut failures = 0;
        loop {
            let pause = match self.source.links(&self.key.provider).await {
                Ok(links) => {
                    failures = 0;
                    self.renew(&mut running, links, &refused);
                    self.pace.ask_again
                }
                Err(trouble) => {
                    failures += 1;
                    tracing::warn!(provider = %self.key.provider, reason = trouble.message, "no broker could be found out");
                    self.hub.unknown(&self.key, trouble);
                    self.pace.backoff.pause(failures, (self.pace.random)())
                }
            };
            if !self.rest(&mut running, pause, &refused).await {
                failures += 1;
                self.give_up(&mut running);
                sleep(self.pace.backoff.pause(failures, (self.pace.random)())).await;
            }
        }
    }

    /// Links that are as they were go on: a question that gives the same answer must not cost a connection.
    fn renew(&self, running: &mut Running, mut wanted: Vec<LinkSettings>, refused: &Arc<Notify>) {
        running.links.retain(|number, (link, task)| {
            if let Some(same) = wanted.iter().position(|wanted| is_same(wanted, link)) {
                wanted.swap_remove(same);
                return true;
            }
            task.abort();
            self.hub.end(&self.key, *number);
            false
        });
        for link in wanted {
            running.begun += 1;
            let number = running.begun;
            self.hub.begin(&self.key, number, &link);
            let ear = Ear {
                hub: Arc::clone(&self.hub),
                key: self.key.clone(),
                number,
                refused: Arc::clone(refused),
                now: self.pace.now,
            };
            let task = running.tasks.spawn(self.source.listen(link.clone(), Arc::new(ear)));
            running.links.insert(number, (link, task));
        }
        self.hub.known(&self.key);
    }

    /// Until it is time to ask again; `false` if a link has ended by itself, which none should.
    async fn rest(&self, running: &mut Running, pause: Duration, refused: &Notify) -> bool {
        let pause = sleep(pause);
        let mut pause = std::pin::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return true,
                () = refused.notified() => return true,
                Some(ended) = running.tasks.join_next() => match ended {
                    Err(error) if error.is_cancelled() => {}
                    _ => return false,
                },
            }
        }
    }

    fn give_up(&self, running: &mut Running) {
        tracing::error!(provider = %self.key.provider, "a link ended abnormally; it is made again");
        self.hub.metrics().failure("panic");
        for number in running.links.keys() {
            self.hub.end(&self.key, *number);
        }
        running.tasks.abort_all();
        running.links.clear();
    }
}

/// Everything else is a matter of the settings, which are the same here.
fn is_same(a: &LinkSettings, b: &LinkSettings) -> bool {
    (&a.brokers, &a.vhost, &a.user) == (&b.brokers, &b.vhost, &b.user)
        && a.password.expose_secret() == b.password.expose_secret()
}
