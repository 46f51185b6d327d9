//! Why a watch broke, in words for the log.

use std::error::Error as _;

use kube::{core::Status, runtime::watcher::Error};

/// One line: what the API server said, and what to do where that is known. 410 Gone is the ordinary end of a watch.
pub fn why(error: &Error) -> String {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status))
        | Error::WatchFailed(kube::Error::Api(status))
        | Error::WatchError(status) => answered(status),
        other => match other.source() {
            Some(source) => source.to_string(),
            None => other.to_string(),
        },
    }
}

fn answered(status: &Status) -> String {
    let hint = match status.code {
        404 => "; install the CustomResourceDefinition: multinic crd openstackconfig | kubectl apply -f -",
        401 => "; check the token in the kubeconfig, or the operator's ServiceAccount",
        403 => "; check the operator's ClusterRole and its binding",
        _ => "",
    };
    format!(
        "the API server answered {}: {}{hint}",
        status.code,
        status.message.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, message: &str) -> Error {
        let status = Status {
            code,
            message: message.to_owned(),
            ..Status::default()
        };
        Error::InitialListFailed(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn a_missing_definition_and_a_missing_permission_say_what_to_do() {
        assert_eq!(
            why(&refused(404, "404 page not found\n")),
            "the API server answered 404: 404 page not found; install the CustomResourceDefinition: multinic crd \
             openstackconfig | kubectl apply -f -"
        );
        assert!(why(&refused(403, "no")).ends_with("no; check the operator's ClusterRole and its binding"));
        assert_eq!(why(&refused(500, "later")), "the API server answered 500: later");
    }

    #[test]
    fn other_failures_speak_for_themselves() {
        assert!(why(&Error::NoResourceVersion).contains("resourceVersion"));
    }
}
