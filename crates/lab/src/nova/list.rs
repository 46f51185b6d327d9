//! `GET /servers` and `/servers/detail`: newest first, cut at the limit, with a link to the rest.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::{
    Caller, Fail, body,
    filters::{Filters, NamePattern, Refusal},
};
use crate::{
    net::{Json, Reply, Request},
    simulator::Urls,
    state::{Server, State},
};

/// Answers a list.
pub(super) fn answer(
    state: &State,
    urls: &Urls,
    caller: &Caller,
    request: &Request,
    detail: bool,
) -> Result<Reply, Fail> {
    let filters = match Filters::parse(caller, request) {
        Ok(filters) => filters,
        Err(Refusal::Nova(fail)) => return Err(fail),
        Err(Refusal::Lab(reply)) => return Ok(reply),
    };
    let before = match &filters.marker {
        None => u64::MAX,
        Some(marker) => state
            .servers
            .get(marker)
            .filter(|server| caller.may_see(server))
            .map(|server| server.number)
            .ok_or_else(|| Fail::bad_request(format!("marker [{marker}] not found")))?,
    };
    // Nova cuts every list at its own maximum, whatever was asked for.
    let limit = filters.limit.unwrap_or(usize::MAX).min(state.settings.nova_max_limit);
    let all: Box<dyn Iterator<Item = &Server>> = match &filters.name {
        Some(NamePattern::Exactly(name)) => Box::new(state.servers.named(name, before)),
        _ => Box::new(state.servers.newest_first(before)),
    };
    let page: Vec<_> = all.filter(|server| filters.admit(server)).take(limit).collect();
    let next = page
        .last()
        .filter(|_| page.len() == limit)
        .map(|last| next_link(urls, request, detail, &last.id));
    Ok(write(state, urls, caller, &page, next.as_deref(), detail))
}

fn write(state: &State, urls: &Urls, caller: &Caller, page: &[&Server], next: Option<&str>, detail: bool) -> Reply {
    let mut json = Json::with_capacity(page.len() * if detail { 2500 } else { 350 });
    let layout = body::Layout::of_list(caller);
    json.object(|json| {
        json.key("servers");
        json.list(|json| {
            for server in page {
                json.object(|json| {
                    if detail {
                        layout.write(state, urls, server, json);
                    } else {
                        body::brief(urls, server, json);
                    }
                });
            }
        });
        if let Some(href) = next {
            json.key("servers_links");
            json.list(|json| body::link("next", href, json));
        }
    });
    Reply::text(200, "application/json", json.into_bytes())
}

/// The same query with its keys sorted and the marker moved on.
fn next_link(urls: &Urls, request: &Request, detail: bool, last: &str) -> String {
    let query = request.query();
    let mut pairs: Vec<(String, String)> = query.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
    match pairs.iter_mut().find(|(key, _)| key == "marker") {
        Some((_, marker)) => last.clone_into(marker),
        None => pairs.push(("marker".to_owned(), last.to_owned())),
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!(
        "{}/v2.1/servers{}?{query}",
        urls.nova,
        if detail { "/detail" } else { "" }
    )
}
