//! What the tests stand on.

pub mod api;
pub mod certificates;
pub mod configs;
pub mod database;
pub mod load;

/// The same test on both databases: `name::sqlite` and `name::postgres`.
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn story($database: crate::support::database::TestDatabase) $body

            #[tokio::test]
            async fn sqlite() {
                story(crate::support::database::TestDatabase::sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                story(crate::support::database::TestDatabase::postgres()).await;
            }
        }
    )*};
}

pub(crate) use on_both_databases;
