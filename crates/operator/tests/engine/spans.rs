//! What traces are made of.

use std::sync::{Arc, Mutex};

use tracing::{Id, Subscriber, span::Attributes};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Scope},
};

use crate::stage::{Cr, Stage, cloud};

/// Notes the path of every span of ours.
#[derive(Clone, Default)]
struct Paths(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Paths {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target().starts_with("multinic") {
            let scope = context.span_scope(id).into_iter().flat_map(Scope::from_root);
            let path: Vec<_> = scope.map(|span| span.name()).collect();
            self.0.lock().unwrap().push(path.join("/"));
        }
    }
}

#[tokio::test]
async fn a_pass_is_a_span_with_one_for_each_step() {
    let paths = Paths::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(paths.clone()));
    let stage = Stage::new(cloud()).await;
    stage.apply(&Cr::red("c", &["w1"])).await;
    stage.ready("c").await;
    let paths = paths.0.lock().unwrap();
    for expected in [
        "pass",
        "pass/mark",
        "pass/read",
        "pass/plan",
        "pass/deliver",
        "pass/report",
    ] {
        assert!(paths.iter().any(|path| path == expected), "{expected}: {paths:?}");
    }
}
