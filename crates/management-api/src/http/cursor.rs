//! Cursors: where the next page begins. Callers pass them back as they came.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Fault, Problem};

/// The most items of a page, and how many it has by default.
pub(super) const MAX: u32 = 1_000;
const DEFAULT: u32 = 500;

pub(super) fn write(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

pub(super) fn read<T: std::str::FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
        return Ok(None);
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let last = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    let fault = || {
        Fault::new("cursor", "this is no cursor")
            .found(cursor)
            .allowed("a nextCursor of an earlier page")
    };
    last.map(Some).ok_or_else(|| Problem::bad(fault()))
}

pub(super) fn limit(limit: Option<&str>) -> Result<u32, Problem> {
    let Some(text) = limit else { return Ok(DEFAULT) };
    if let Ok(limit @ 1..=0x7fff_ffff) = text.parse::<u32>() {
        return Ok(limit.min(MAX));
    }
    let fault = Fault::new("limit", "this is no number of items").found(text);
    Err(Problem::bad(fault.allowed("1 or more; at most 1000 are given")))
}

/// Cuts the item that was read beyond the page, and gives the cursor behind the page if there was one.
pub(super) fn page<T>(items: &mut Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Option<String> {
    let limit = limit as usize;
    if items.len() <= limit {
        return None;
    }
    items.truncate(limit);
    items.last().map(|last| write(&key(last)))
}
