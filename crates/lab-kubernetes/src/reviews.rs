//! TokenReviews: whose a token is. They are answered and never kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::status::ApiError;

/// What a review says of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewedToken {
    /// The user, such as `system:serviceaccount:default:agent`.
    pub user: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Whom the token is meant for; empty: for the API server alone.
    pub audiences: Vec<String>,
    /// More about it, such as `authentication.kubernetes.io/node-name`.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// The tokens that reviews know.
#[derive(Debug, Default)]
pub(crate) struct Reviews(Mutex<BTreeMap<String, ReviewedToken>>);

/// What the API server calls itself.
const SELF: &str = "https://kubernetes.default.svc.cluster.local";

impl Reviews {
    pub fn new(tokens: BTreeMap<String, ReviewedToken>) -> Self {
        Self(Mutex::new(tokens))
    }

    pub fn forget(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    /// The review with its answer.
    pub fn answer(&self, mut review: Value) -> Result<Value, ApiError> {
        if (review["apiVersion"].as_str(), review["kind"].as_str())
            != (Some("authentication.k8s.io/v1"), Some("TokenReview"))
        {
            return Err(ApiError::bad_request(
                "the body is no authentication.k8s.io/v1 TokenReview",
            ));
        }
        let Some(token) = review["spec"]["token"].as_str().filter(|token| !token.is_empty()) else {
            return Err(ApiError::bad_request("a token review without a token"));
        };
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            .cloned();
        let asked = texts(&review["spec"]["audiences"]);
        review["status"] = status(known, asked);
        Ok(review)
    }
}

fn status(known: Option<ReviewedToken>, mut asked: BTreeSet<String>) -> Value {
    if asked.is_empty() {
        asked.insert(SELF.to_owned());
    }
    let Some(known) = known else {
        return json!({"user": {}, "error": "[invalid bearer token]"});
    };
    let meant: BTreeSet<String> = if known.audiences.is_empty() {
        BTreeSet::from([SELF.to_owned()])
    } else {
        known.audiences.into_iter().collect()
    };
    let common: Vec<_> = asked.intersection(&meant).collect();
    if common.is_empty() {
        let error =
            format!("[invalid bearer token, token audiences {meant:?} is invalid for the target audiences {asked:?}]");
        return json!({"user": {}, "error": error});
    }
    json!({
        "authenticated": true, "audiences": common,
        "user": {"username": known.user, "groups": known.groups, "extra": known.extra},
    })
}

fn texts(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|text| text.as_str().map(ToOwned::to_owned))
        .collect()
}
