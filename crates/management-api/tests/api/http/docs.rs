//! `/docs`.

use reqwest::StatusCode;

use crate::support::{api::Api, database::TestDatabase};

#[tokio::test]
async fn the_page_holds_all_it_needs_and_forbids_everything_else() {
    let database = TestDatabase::sqlite();
    let api = Api::start(&database).await;
    let mut files = Vec::new();
    for (path, kind) in [
        ("/docs", "text/html"),
        ("/docs/page.js", "text/javascript"),
        ("/docs/style.css", "text/css"),
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, StatusCode::OK);
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        files.push(answer.json.as_str().unwrap().to_owned());
    }
    let [page, script, style] = files.as_slice() else {
        panic!()
    };
    for text in [page, script, style] {
        for elsewhere in ["http:", "https:", "\"//", "'//", "@import", "data:"] {
            assert!(!text.contains(elsewhere), "{elsewhere}");
        }
    }
    assert!(!style.contains("url("));
    // What the policy would not let run.
    for inline in ["<style", " style=", " onclick", " onload", "<script>"] {
        assert!(!page.contains(inline), "{inline}");
    }
    for markup in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ] {
        assert!(!script.contains(markup), "{markup}: the contract's texts are no markup");
    }
    for file in ["docs/page.js", "docs/style.css", "openapi.json"] {
        assert!(page.contains(&format!("\"{file}\"")), "{file}");
    }
}
