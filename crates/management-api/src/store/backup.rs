//! A copy of SQLite's file while it is in use.

use std::path::Path;

use super::{Dialect, Store, StoreError, sql::Statement};

impl Store {
    /// Copies the database into a new file: one moment of it, whole, without the space that deletions left.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if self.dialect() != Dialect::Sqlite {
            return Err(StoreError::NoBackup);
        }
        let path = to.to_str().filter(|_| !to.exists());
        let path = path.ok_or_else(|| StoreError::BackupPath { path: to.to_owned() })?;
        let mut connection = self.database.owner().await?;
        Statement::new("VACUUM INTO ")
            .value(path)
            .execute(&mut connection)
            .await?;
        Ok(())
    }
}
