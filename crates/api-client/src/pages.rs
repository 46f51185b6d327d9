//! Pages one after the other: only one of them is in memory.

use multinic_model::ClusterId;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{ApiReader, ReadError};

/// The longest cursor accepted, in bytes: it goes into the request line.
const MAX_CURSOR: usize = 2048;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageJson<T> {
    items: Vec<T>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// A list that is read page by page.
#[derive(Debug)]
pub struct Pages<'a> {
    reader: &'a ApiReader,
    url: Url,
    cluster: Option<ClusterId>,
    limit: u32,
    next: Next,
}

#[derive(PartialEq, Eq, Debug)]
enum Next {
    First,
    Behind(String),
    None,
}

impl<'a> Pages<'a> {
    pub(crate) const fn new(reader: &'a ApiReader, url: Url, cluster: Option<ClusterId>, limit: u32) -> Self {
        Self {
            reader,
            url,
            cluster,
            limit,
            next: Next::First,
        }
    }

    /// The next page, which may be empty; `None`: there is none. After an error the same page can be asked for again.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>, ReadError> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("limit", &self.limit.to_string());
        match &self.next {
            Next::None => return Ok(None),
            Next::First => {}
            Next::Behind(cursor) => {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
        }
        let page: PageJson<T> = self.reader.get(&url, self.cluster.as_ref()).await?;
        self.next = self.behind(page.next_cursor)?;
        Ok(Some(page.items))
    }

    fn behind(&self, cursor: Option<String>) -> Result<Next, ReadError> {
        let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
            return Ok(Next::None);
        };
        let refuse = |reason| {
            let url = self.url.to_string();
            Err(ReadError::Pages { url, reason })
        };
        if cursor.len() > MAX_CURSOR {
            return refuse("a cursor is longer than 2048 bytes");
        }
        let next = Next::Behind(cursor);
        if next == self.next {
            return refuse("a cursor came twice");
        }
        Ok(next)
    }
}
