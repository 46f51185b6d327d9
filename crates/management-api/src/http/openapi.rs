//! The contract as OpenAPI, made from the handlers; committed as `docs/openapi.json`.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder, Schema,
        schema::AdditionalProperties,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::router;

/// What every endpoint may answer besides its own answers.
pub(super) struct Problems;

const PROBLEMS: [(&str, &str); 10] = [
    ("400", "The request is not the contract; the problem names the place"),
    ("401", "The bearer token is missing or unknown"),
    ("403", "The token does not allow this, or the cluster is not registered"),
    ("404", "There is no such thing"),
    ("405", "The path does not take this method"),
    ("408", "The request came or went too slowly"),
    ("413", "The body is too large"),
    ("500", "The server failed"),
    (
        "503",
        "The server or its database cannot do this now; Retry-After says when to ask again",
    ),
    ("507", "The database's disk is full; nothing was changed"),
];

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        PROBLEMS
            .into_iter()
            .map(|(status, text)| (status.to_owned(), problem(text)))
            .collect()
    }
}

fn problem(text: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new()
        .description(text)
        .content("application/problem+json", content)
        .build()
        .into()
}

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The frame that the routes are put into.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "MultiNIC management API",
        description = "Takes the node configs of workload clusters, keeps them with their history, and hands them to agents.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(super::Problem, super::Fault)),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "node configs", description = "What each node of a cluster should have"),
        (name = "providers", description = "The clusters"),
        (name = "server", description = "Is it there, is it well")
    )
)]
pub(super) struct Frame;

/// The contract.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut openapi = router::routes().split_for_parts().1;
    close(&mut openapi, "DeliveryTarget");
    openapi
}

/// What the derive does not say of the variants of an enum: they take no other keys.
fn close(openapi: &mut utoipa::openapi::OpenApi, name: &str) {
    let schemas = openapi.components.as_mut().map(|components| &mut components.schemas);
    let Some(RefOr::T(Schema::OneOf(variants))) = schemas.and_then(|schemas| schemas.get_mut(name)) else {
        return;
    };
    for variant in &mut variants.items {
        if let RefOr::T(Schema::Object(object)) = variant {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}
