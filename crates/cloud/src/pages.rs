//! Whole listings, page by page.

use std::{collections::BTreeSet, num::NonZeroU32};

use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

use crate::{
    error::{CloudError, Place},
    execute::Access,
    request::Request,
};

/// One page as it came.
pub(crate) trait Page: DeserializeOwned + Send {
    /// What it lists.
    type Row: Send;

    /// Its rows and its links.
    fn into_parts(self) -> (Vec<Self::Row>, Vec<Link>);
}

/// A link to another page.
#[derive(Deserialize)]
pub(crate) struct Link {
    rel: String,
    href: String,
}

/// A listing that was read to its end, or one whose marker vanished on the way.
enum Walk<R> {
    Whole(Vec<R>),
    MarkerLost(CloudError),
}

/// Reads all pages and keeps the rows that `keep` wants. Links are followed by their marker alone: their host is the
/// server's own idea of its address.
///
/// An item that is deleted while it is the marker makes the next page a 404 (Neutron) or a 400 (Nova); the listing is
/// then begun once more.
pub(crate) async fn list<P: Page>(
    access: &Access<'_>,
    request: Request,
    page_size: Option<NonZeroU32>,
    keep: impl Fn(&P::Row) -> bool + Send + Sync,
) -> Result<Vec<P::Row>, CloudError> {
    let request = request.with("limit", page_size);
    let mut walk = walk::<P>(access, &request, &keep).await?;
    if matches!(walk, Walk::MarkerLost(_)) {
        walk = self::walk::<P>(access, &request, &keep).await?;
    }
    match walk {
        Walk::Whole(rows) => Ok(rows),
        Walk::MarkerLost(error) => Err(error),
    }
}

async fn walk<P: Page>(
    access: &Access<'_>,
    first: &Request,
    keep: &(impl Fn(&P::Row) -> bool + Send + Sync),
) -> Result<Walk<P::Row>, CloudError> {
    let mut rows = Vec::new();
    let mut markers = BTreeSet::new();
    let mut request = first.clone();
    for _ in 0..access.sessions.settings.max_pages {
        let page = match access.get::<P>(&request).await {
            Err(error) if !markers.is_empty() && is_lost_marker(&error) => return Ok(Walk::MarkerLost(error)),
            page => page?,
        };
        let (more, links) = page.into_parts();
        rows.extend(more.into_iter().filter(keep));
        let Some(marker) = next_marker(&links, || access.place(first))? else {
            return Ok(Walk::Whole(rows));
        };
        request = first.clone().with("marker", [&marker]);
        if !markers.insert(marker.clone()) {
            return Err(CloudError::PageLoop {
                place: access.place(first),
                marker,
            });
        }
    }
    Err(CloudError::TooManyPages {
        place: access.place(first),
        max: access.sessions.settings.max_pages,
    })
}

fn is_lost_marker(error: &CloudError) -> bool {
    matches!(
        error,
        CloudError::Status {
            status: StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST,
            ..
        }
    )
}

fn next_marker(links: &[Link], place: impl Fn() -> Place) -> Result<Option<String>, CloudError> {
    let Some(link) = links.iter().find(|link| link.rel == "next") else {
        return Ok(None);
    };
    let query = link.href.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let marker = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "marker");
    match marker {
        Some((_, marker)) => Ok(Some(marker.into_owned())),
        None => Err(CloudError::PageWithoutMarker { place: place() }),
    }
}
