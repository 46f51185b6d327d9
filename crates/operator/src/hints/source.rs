//! Where links come from, and what keeps one up: Contrabass and RabbitMQ, or a test.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use multinic_model::ProviderId;
use multinic_notifications::{LinkSettings, Sink, listen};

use crate::{settings::Current, status::trouble::Trouble};

/// What can find out the links of a provider, and keep one up.
pub trait Source: Send + Sync + 'static {
    /// The links of a provider; none if no broker is known, or none is to be used.
    fn links<'a>(&'a self, provider: &'a ProviderId) -> BoxFuture<'a, Result<Vec<LinkSettings>, Trouble>>;

    /// Keeps one up for as long as it is polled.
    fn listen(&self, link: LinkSettings, sink: Arc<dyn Sink>) -> BoxFuture<'static, ()>;
}

impl Source for Current {
    fn links<'a>(&'a self, provider: &'a ProviderId) -> BoxFuture<'a, Result<Vec<LinkSettings>, Trouble>> {
        let links = self.connections.links(provider, &self.installation);
        async { links.await.map_err(|error| Trouble::of_links(&error)) }.boxed()
    }

    fn listen(&self, link: LinkSettings, sink: Arc<dyn Sink>) -> BoxFuture<'static, ()> {
        listen(link, sink).boxed()
    }
}
