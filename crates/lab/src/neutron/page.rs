//! Lists and single objects of any kind, with `fields`, pages and links.

use url::form_urlencoded;

use super::{
    Fail,
    query::Query,
    resource::{Field, Resource},
};
use crate::{
    net::{Json, Reply, Request},
    simulator::Urls,
    state::{Scope, State},
};

/// `GET /v2.0/{collection}`.
pub(super) fn list<R: Resource>(state: &State, urls: &Urls, scope: &Scope, request: &Request) -> Result<Reply, Fail> {
    let query = Query::parse::<R>(request)?;
    let mut items = R::candidates(state, &query);
    items.retain(|item| {
        item.visible(state, scope)
            && query
                .filters
                .iter()
                .all(|(key, wanted)| item.matches(state, scope, key, wanted))
    });
    let Some(limit) = query.limit else {
        return Ok(write(state, scope, &query, &items, &[]));
    };
    let marker = query
        .marker
        .as_deref()
        .map(|marker| find::<R>(state, scope, marker))
        .transpose()?;
    let page = cut(&items, marker, limit, query.reverse);
    let links = links(urls, request, R::COLLECTION, page, limit, query.reverse);
    Ok(write(state, scope, &query, page, &links))
}

/// `GET /v2.0/{collection}/{id}`.
pub(super) fn show<R: Resource>(state: &State, scope: &Scope, request: &Request, id: &str) -> Result<Reply, Fail> {
    let item = find::<R>(state, scope, id)?;
    let fields = request
        .query()
        .into_iter()
        .filter(|(key, _)| key == "fields")
        .map(|(_, value)| value)
        .collect();
    let fields = Some(fields).filter(|fields: &Vec<_>| !fields.is_empty());
    let layout = layout::<R>(scope, fields.as_deref());
    let mut json = Json::default();
    json.object(|json| {
        json.key(R::KEY);
        write_item(state, scope, &layout, item, json);
    });
    Ok(Reply::text(200, "application/json", json.into_bytes()))
}

fn find<'a, R: Resource>(state: &'a State, scope: &Scope, id: &str) -> Result<&'a R, Fail> {
    let item = R::get(state, id).or_else(|| R::get(state, &id.to_ascii_lowercase()));
    item.filter(|item| item.visible(state, scope))
        .ok_or_else(|| Fail::not_found(R::KIND, id))
}

/// The page behind the marker; in reverse the one before it.
fn cut<'a, 'b, R: Resource>(items: &'b [&'a R], marker: Option<&R>, limit: usize, reverse: bool) -> &'b [&'a R] {
    if reverse {
        let end = marker.map_or(items.len(), |marker| {
            items.partition_point(|item| item.id() < marker.id())
        });
        return &items[end.saturating_sub(limit)..end];
    }
    let start = marker.map_or(0, |marker| items.partition_point(|item| item.id() <= marker.id()));
    &items[start..items.len().min(start.saturating_add(limit))]
}

/// Neutron's own rule: a full page has both links, a short one only the way back (in reverse, only the way on).
fn links<R: Resource>(
    urls: &Urls,
    request: &Request,
    collection: &str,
    page: &[&R],
    limit: usize,
    reverse: bool,
) -> Vec<(&'static str, String)> {
    let full = page.len() >= limit;
    let href = |marker: Option<&&R>, backwards: bool| {
        let mut pairs: Vec<_> = request
            .query()
            .into_iter()
            .filter(|(key, _)| key != "marker" && key != "page_reverse")
            .collect();
        pairs.extend(marker.map(|item| ("marker".to_owned(), item.id().to_string())));
        pairs.extend(backwards.then(|| ("page_reverse".to_owned(), "True".to_owned())));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        format!("{}/v2.0/{collection}?{query}", urls.neutron)
    };
    let mut links = Vec::new();
    if full || reverse {
        links.push(("next", href(page.last(), false)));
    }
    if full || !reverse {
        links.push(("previous", href(page.first(), true)));
    }
    links
}

fn write<R: Resource>(state: &State, scope: &Scope, query: &Query, page: &[&R], links: &[(&str, String)]) -> Reply {
    let layout = layout::<R>(scope, query.fields.as_deref());
    let mut json = Json::with_capacity(page.len() * layout.len() * 48);
    json.object(|json| {
        json.key(R::COLLECTION);
        json.list(|json| {
            for item in page {
                json.comma();
                write_item(state, scope, &layout, item, json);
            }
        });
        if !links.is_empty() {
            json.key(&format!("{}_links", R::COLLECTION));
            json.list(|json| links.iter().for_each(|(rel, href)| write_link(rel, href, json)));
        }
    });
    Reply::text(200, "application/json", json.into_bytes())
}

fn write_link(rel: &str, href: &str, json: &mut Json) {
    json.object(|json| {
        json.key("rel");
        json.plain(rel);
        json.key("href");
        json.value(href);
    });
}

/// The keys this caller gets. `fields=a,b` is one unknown field, and unknown fields are dropped without a word.
fn layout<R: Resource>(scope: &Scope, fields: Option<&[String]>) -> Vec<&'static Field<R>> {
    let wanted = |field: &&Field<R>| fields.is_none_or(|fields| fields.iter().any(|name| name == field.name));
    R::FIELDS
        .iter()
        .filter(|field| scope.admin || !field.admin)
        .filter(wanted)
        .collect()
}

fn write_item<R: Resource>(state: &State, scope: &Scope, layout: &[&Field<R>], item: &R, json: &mut Json) {
    json.raw("{");
    for field in layout {
        json.key(field.name);
        (field.write)(state, scope, item, json);
    }
    json.raw("}");
}
