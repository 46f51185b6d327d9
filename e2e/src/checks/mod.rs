//! The checks, in the order in which they are made. Each leaves OpenStack as the seed made it.

mod ambiguity;
mod api;
mod changes;
mod credentials;
mod naming;
mod operator;
mod rabbitmq;
mod scale;
mod secrets;
mod subnets;
mod tokens;

use crate::{results::Results, world::World};

/// Those groups that are named, or all of them.
pub async fn run(world: &World, results: &mut Results, only: &[String]) {
    let wanted = |group: &str| only.is_empty() || only.iter().any(|name| name == group);
    if wanted("naming") {
        naming::run(world, results);
    }
    if wanted("subnets") {
        subnets::run(world, results).await;
    }
    if wanted("ambiguity") {
        ambiguity::run(world, results).await;
    }
    if wanted("changes") {
        changes::run(world, results).await;
    }
    if wanted("credentials") {
        credentials::run(world, results);
    }
    if wanted("operator") {
        operator::run(world, results).await;
    }
    if wanted("rabbitmq") {
        rabbitmq::run(world, results).await;
    }
    if wanted("api") {
        api::run(world, results).await;
    }
    if wanted("tokens") {
        tokens::run(world, results).await;
    }
    if wanted("scale") {
        scale::run(world, results);
    }
    if wanted("secrets") {
        secrets::run(world, results);
    }
}
