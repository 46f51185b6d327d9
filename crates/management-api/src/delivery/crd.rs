//! The CustomResourceDefinition in a cluster: installed where there is none, brought up to date where it is an older one
//! of ours, and left alone where it is anybody else's or newer.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps,
};
use multinic_model::crds::Crd;

/// Counts the versions of our definition; raised with every change of it.
const VERSION: u32 = 1;

/// Says which version of ours a definition is.
const ANNOTATION: &str = "multinic.io/crd-version";

/// The version of the objects.
const SERVED: &str = "v1alpha1";

/// What is to be done about a definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It serves. `takes_empty`: a node may have no interface.
    Use { takes_empty: bool },
    /// It is an older one of ours.
    Update,
    /// It does not serve the version.
    Useless,
}

/// Ours.
pub(super) fn ours() -> CustomResourceDefinition {
    let mut crd = Crd::MultiNicNodeConfig.definition();
    let annotations = crd.metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION.to_owned(), VERSION.to_string());
    crd
}

/// What is to be done about the one that is there.
pub(super) fn judge(found: &CustomResourceDefinition) -> Verdict {
    let version = found
        .metadata
        .annotations
        .as_ref()
        .and_then(|all| all.get(ANNOTATION)?.parse::<u32>().ok());
    if version.is_some_and(|version| version < VERSION) {
        return Verdict::Update;
    }
    let served = found
        .spec
        .versions
        .iter()
        .find(|version| version.name == SERVED && version.served);
    served.map_or(Verdict::Useless, |version| Verdict::Use {
        takes_empty: least_interfaces(version) == 0,
    })
}

fn least_interfaces(version: &CustomResourceDefinitionVersion) -> i64 {
    let schema = version
        .schema
        .as_ref()
        .and_then(|schema| schema.open_api_v3_schema.as_ref());
    let at = |schema: Option<&'_ JSONSchemaProps>, key: &str| {
        schema.and_then(|schema| schema.properties.as_ref()?.get(key).cloned())
    };
    let interfaces = at(at(schema, "spec").as_ref(), "interfaces");
    interfaces
        .and_then(|interfaces| interfaces.min_items)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_used_as_it_is() {
        assert_eq!(judge(&ours()), Verdict::Use { takes_empty: true });
        let by_kubectl = Crd::MultiNicNodeConfig.definition();
        assert_eq!(judge(&by_kubectl), Verdict::Use { takes_empty: true });
    }

    #[test]
    fn an_older_one_of_ours_is_updated_and_a_newer_one_is_not() {
        let with = |version: &str| {
            let mut crd = ours();
            crd.metadata.annotations = Some([(ANNOTATION.to_owned(), version.to_owned())].into());
            judge(&crd)
        };
        assert_eq!(with("0"), Verdict::Update);
        assert_eq!(with("99"), Verdict::Use { takes_empty: true });
    }

    #[test]
    fn one_that_wants_an_interface_is_left_and_gets_no_empty_lists() {
        let mut crd = Crd::MultiNicNodeConfig.definition();
        let schema = crd.spec.versions[0]
            .schema
            .as_mut()
            .unwrap()
            .open_api_v3_schema
            .as_mut()
            .unwrap();
        let spec = schema.properties.as_mut().unwrap().get_mut("spec").unwrap();
        spec.properties
            .as_mut()
            .unwrap()
            .get_mut("interfaces")
            .unwrap()
            .min_items = Some(1);
        assert_eq!(judge(&crd), Verdict::Use { takes_empty: false });
        crd.spec.versions[0].served = false;
        assert_eq!(judge(&crd), Verdict::Useless);
    }
}
