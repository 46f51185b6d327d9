//! The clusters: how to deliver into them, how far their history has come, what they hold.

use jiff::{SignedDuration, Timestamp};
use multinic_model::{ClusterId, NodeName};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{object::object, whole};

use super::{
    Registration, Store, StoreError,
    content::{count, damaged, read, time},
    outbox,
    sql::{Statement, Value, commit, maybe_number, maybe_text, number, text},
};

/// What can be set for a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProviderSettings {
    /// For people.
    #[schema(max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub display_name: String,
    /// How node configs get into the cluster.
    #[serde(deserialize_with = "object")]
    pub delivery: DeliverySettings,
}

/// How node configs get into a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeliverySettings {
    /// Where its Kubernetes API is found.
    #[serde(deserialize_with = "object")]
    pub target: DeliveryTarget,
    /// What becomes of the object of a node that has no interfaces any more.
    pub empty_nodes: EmptyNodes,
    /// How long, in hours, the object of a node without interfaces stays at most if its agent does not say that it has
    /// cleaned up.
    pub empty_retention_hours: RetentionHours,
    /// Whether the server looks after the definition of MultiNicNodeConfigs in the cluster.
    pub crd: CrdHandling,
}

/// 0 to 8,760 hours (a year); a week without a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[schema(value_type = u16, minimum = 0, maximum = 8760)]
pub struct RetentionHours(u16);

impl RetentionHours {
    /// The longest.
    pub const MAX: u16 = 8_760;

    /// As a time.
    pub fn time(self) -> SignedDuration {
        SignedDuration::from_hours(self.0.into())
    }
}

impl Default for RetentionHours {
    fn default() -> Self {
        Self(7 * 24)
    }
}

impl<'de> Deserialize<'de> for RetentionHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match whole::maybe(deserializer)? {
            Some(hours) if hours <= Self::MAX => Ok(Self(hours)),
            _ => Err(D::Error::custom("expected 0 to 8760 hours")),
        }
    }
}

/// Whether the server looks after the definition of MultiNicNodeConfigs in a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CrdHandling {
    /// It is installed where there is none, and updated where it is an older one of this server.
    #[default]
    Manage,
    /// It is never touched.
    Leave,
}

/// Where a cluster's Kubernetes API is found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum DeliveryTarget {
    /// The kubeconfig that is named like the cluster, if the server was given one; else nothing is put into the cluster.
    Auto {},
    /// Nothing is put into the cluster; its agents ask here.
    None {},
    /// It is the cluster that this server runs in.
    InCluster {},
    /// A kubeconfig that the server was given.
    Kubeconfig {
        /// Its file name in the server's folder of kubeconfigs: a name, never a path.
        #[schema(value_type = String, max_length = 253, pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
        name: NodeName,
    },
}

impl Default for DeliveryTarget {
    fn default() -> Self {
        Self::Auto {}
    }
}

/// What becomes of the object of a node that has no interfaces any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EmptyNodes {
    /// It stays, with an empty list, so that the agent cleans up.
    #[default]
    Keep,
    /// It is deleted at once, for agents that cannot read an empty list.
    Delete,
}

/// How delivering into a cluster goes as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetState {
    /// off: nothing is put into it (yet); working; failing: it is left alone until the next attempt.
    pub state: TargetPhase,
    /// How often it failed in a row.
    pub attempts: u64,
    /// When it is tried next, if it fails.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last, if it fails.
    pub last_error: Option<String>,
}

/// How delivering into a cluster goes as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TargetPhase {
    /// Nothing is put into it: it has no target, or none was found yet.
    Off,
    /// It takes what it gets.
    Working,
    /// It cannot be delivered into.
    Failing,
}

/// A cluster as it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
    /// Its id, the value of `x-provider-id`.
    pub id: ClusterId,
    /// What was set for it.
    pub settings: ProviderSettings,
    /// How many changes its node configs have seen.
    pub sequence: u64,
    /// How many nodes it has.
    pub nodes: u64,
    /// How many interfaces.
    pub interfaces: u64,
    /// How many nodes are not in the cluster as they should be yet; zero without a target.
    pub undelivered: u64,
    /// How delivering into it goes as a whole.
    pub target: TargetState,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its settings or one of its nodes last changed.
    pub changed_at: Timestamp,
}

const PROVIDER: &str = "SELECT p.id, p.display_name, p.delivery, p.sequence, p.created_at, p.changed_at, \
    (SELECT COUNT(*) FROM nodes n WHERE n.provider_id = p.id) AS nodes, \
    (SELECT COUNT(*) FROM interfaces i WHERE i.provider_id = p.id) AS interfaces, \
    (SELECT COUNT(*) FROM deliveries d JOIN targets t ON t.provider_id = d.provider_id WHERE d.provider_id = p.id \
    AND (d.delivered_revision IS NULL OR d.delivered_revision <> d.wanted_revision)) AS undelivered, \
    s.attempts AS target_attempts, s.due_at AS target_due_at, s.last_error AS target_error \
    FROM providers p LEFT JOIN targets s ON s.provider_id = p.id ";

impl Store {
    /// One cluster; `None` if it is not known.
    pub async fn provider(&self, id: &ClusterId) -> Result<Option<Provider>, StoreError> {
        let mut connection = self.database.read().await?;
        let statement = Statement::new(PROVIDER).text("WHERE p.id = ").value(id.as_str());
        let row = statement.optional(&mut connection).await?;
        row.as_ref().map(provider).transpose()
    }

    /// At most `limit` clusters behind `after`, by id.
    pub async fn providers(&self, after: Option<&ClusterId>, limit: u32) -> Result<Vec<Provider>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = Statement::new(PROVIDER)
            .text("WHERE p.id > ")
            .value(after.map_or("", ClusterId::as_str))
            .text(" ORDER BY p.id LIMIT ")
            .value(i64::from(limit))
            .all(&mut connection)
            .await?;
        rows.iter().map(provider).collect()
    }

    /// Registers a cluster or changes what is set for it; true if it is new. Equal settings write nothing.
    pub async fn set_provider(&self, id: &ClusterId, settings: &ProviderSettings) -> Result<bool, StoreError> {
        if self
            .provider(id)
            .await?
            .is_some_and(|provider| provider.settings == *settings)
        {
            return Ok(false);
        }
        let now = self.now().as_microsecond();
        let mut transaction = self.database.write(id.as_str()).await?;
        let earlier = delivery_settings(&mut transaction, id).await?;
        let is_new = earlier.is_none();
        let row: [Value; 7] = [
            id.as_str().into(),
            settings.display_name.as_str().into(),
            json(&settings.delivery, id)?.into(),
            0.into(),
            0.into(),
            now.into(),
            now.into(),
        ];
        Statement::new(INSERT)
            .list(row)
            .text(
                " ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, delivery = excluded.delivery, \
                 changed_at = excluded.changed_at",
            )
            .execute(&mut transaction)
            .await?;
        if earlier.is_some_and(|earlier| earlier != settings.delivery) {
            outbox::want_again(&mut transaction, id, now).await?;
        }
        commit(transaction).await?;
        Ok(is_new)
    }

    /// Forgets a cluster and its history; false if it is not known. It must have no node any more.
    pub async fn delete_provider(&self, id: &ClusterId) -> Result<bool, StoreError> {
        let mut transaction = self.database.write(id.as_str()).await?;
        let statement = Statement::new("SELECT COUNT(*) AS nodes FROM nodes WHERE provider_id = ").value(id.as_str());
        let row = statement.optional(&mut transaction).await?;
        let nodes = row.map_or(Ok(0), |row| number(&row, "nodes"))?;
        if nodes > 0 {
            return Err(StoreError::ProviderInUse {
                provider: id.clone(),
                nodes: count("nodes", id.as_str(), nodes)?,
            });
        }
        let statement = Statement::new("DELETE FROM providers WHERE id = ").value(id.as_str());
        let deleted = statement.execute(&mut transaction).await?.rows_affected() > 0;
        commit(transaction).await?;
        Ok(deleted)
    }

    /// Fails if clusters have to be registered and this one is not.
    pub async fn admit(&self, id: &ClusterId) -> Result<(), StoreError> {
        if self.registration == Registration::Automatic {
            return Ok(());
        }
        let mut connection = self.database.read().await?;
        require(&mut connection, id).await
    }
}

const INSERT: &str =
    "INSERT INTO providers (id, display_name, delivery, sequence, pruned_through, created_at, changed_at) VALUES ";

async fn sequence(connection: &mut AnyConnection, id: &ClusterId) -> Result<Option<i64>, StoreError> {
    let statement = Statement::new("SELECT sequence FROM providers WHERE id = ").value(id.as_str());
    let row = statement.optional(connection).await?;
    row.map(|row| number(&row, "sequence")).transpose()
}

async fn delivery_settings(
    connection: &mut AnyConnection,
    id: &ClusterId,
) -> Result<Option<DeliverySettings>, StoreError> {
    let statement = Statement::new("SELECT delivery FROM providers WHERE id = ").value(id.as_str());
    let row = statement.optional(connection).await?;
    row.map(|row| settings_of(&row, id.as_str())).transpose()
}

/// The column `delivery`.
pub(super) fn settings_of(row: &AnyRow, id: &str) -> Result<DeliverySettings, StoreError> {
    serde_json::from_str(&text(row, "delivery")?).map_err(|error| damaged("delivery", id, &error))
}

/// The cluster has to be known.
pub(super) async fn require(connection: &mut AnyConnection, id: &ClusterId) -> Result<(), StoreError> {
    match sequence(connection, id).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::UnknownProvider(id.clone())),
    }
}

/// The cluster's last sequence number, within its write lock; an unknown cluster is registered if it may be.
pub(super) async fn enter(
    connection: &mut AnyConnection,
    id: &ClusterId,
    registration: Registration,
    now: Timestamp,
) -> Result<i64, StoreError> {
    match (sequence(connection, id).await?, registration) {
        (Some(sequence), _) => Ok(sequence),
        (None, Registration::Strict) => Err(StoreError::UnknownProvider(id.clone())),
        (None, Registration::Automatic) => {
            let now = now.as_microsecond();
            let row: [Value; 7] = [
                id.as_str().into(),
                "".into(),
                json(&DeliverySettings::default(), id)?.into(),
                0.into(),
                0.into(),
                now.into(),
                now.into(),
            ];
            Statement::new(INSERT).list(row).execute(connection).await?;
            Ok(0)
        }
    }
}

/// Notes the cluster's last sequence number.
pub(super) async fn leave(
    connection: &mut AnyConnection,
    id: &ClusterId,
    sequence: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    Statement::new("UPDATE providers SET sequence = ")
        .value(sequence)
        .text(", changed_at = ")
        .value(now.as_microsecond())
        .text(" WHERE id = ")
        .value(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

fn json(settings: &DeliverySettings, id: &ClusterId) -> Result<String, StoreError> {
    serde_json::to_string(settings).map_err(|error| damaged("delivery", id.as_str(), &error))
}

fn provider(row: &AnyRow) -> Result<Provider, StoreError> {
    let id = text(row, "id")?;
    let counted = |column| count(column, &id, number(row, column)?);
    let at = |column| time(&id, number(row, column)?);
    Ok(Provider {
        settings: ProviderSettings {
            display_name: text(row, "display_name")?,
            delivery: settings_of(row, &id)?,
        },
        sequence: counted("sequence")?,
        nodes: counted("nodes")?,
        interfaces: counted("interfaces")?,
        undelivered: counted("undelivered")?,
        target: target(row, &id)?,
        created_at: at("created_at")?,
        changed_at: at("changed_at")?,
        id: read("provider id", &id, &id)?,
    })
}

fn target(row: &AnyRow, id: &str) -> Result<TargetState, StoreError> {
    let attempts = maybe_number(row, "target_attempts")?;
    let due = maybe_number(row, "target_due_at")?.filter(|_| attempts > Some(0));
    Ok(TargetState {
        state: match attempts {
            None => TargetPhase::Off,
            Some(0) => TargetPhase::Working,
            Some(_) => TargetPhase::Failing,
        },
        attempts: count("attempts", id, attempts.unwrap_or_default())?,
        next_attempt_at: due.map(|due| time(id, due)).transpose()?,
        last_error: maybe_text(row, "target_error")?,
    })
}
