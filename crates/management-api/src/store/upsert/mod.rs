//! Taking node configs in: all of a node or nothing of it, the whole batch in one transaction.
//!
//! First everything is compared without a lock: a batch that changes nothing writes nothing and waits for nobody. Else
//! the cluster's writers queue up ([`Database::write`](super::database::Database::write)) and everything is compared
//! again, now with nobody in between.

mod arbitrate;
mod current;
#[cfg(test)]
mod tests;
mod write;

use std::{collections::BTreeSet, net::IpAddr};

use multinic_model::{ClusterId, InterfaceId, MacAddress, NodeConfig, NodeName};
use sqlx::AnyConnection;

use super::{
    Registration, Store, StoreError,
    content::Content,
    idempotency::{self, Answer, IdempotencyKey},
    providers,
    sql::commit,
};
use arbitrate::{Holders, Wish};
use current::{Current, Known};

/// One node config to be taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// What is wanted. Within itself it is free of contradictions: ids, MACs and addresses differ.
    pub config: NodeConfig,
    /// The revision it was made from: 0 for a node that must not exist yet. `None`: whatever is there.
    pub made_from: Option<u64>,
}

/// A batch of one cluster.
#[derive(Clone, Debug)]
pub struct Upsert<'a> {
    /// Whose nodes.
    pub cluster: &'a ClusterId,
    /// Every node at most once.
    pub candidates: &'a [Candidate],
    /// Who asks; it becomes part of the history.
    pub caller: &'a str,
    /// The request's key, if it has one.
    pub key: Option<&'a IdempotencyKey>,
}

/// An interface of a node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The node.
    pub node: NodeName,
    /// The interface on it.
    pub interface: InterfaceId,
}

/// Why a node was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// Another interface of the cluster has the MAC address.
    MacTaken {
        /// The interface that asks for it.
        interface: InterfaceId,
        /// The address.
        mac: MacAddress,
        /// Who has it.
        holder: Place,
    },
    /// Another interface of the cluster has the address.
    AddressTaken {
        /// The interface that asks for it.
        interface: InterfaceId,
        /// The address.
        address: IpAddr,
        /// Who has it.
        holder: Place,
    },
    /// Somebody else changed the node since.
    Stale {
        /// The revision it was made from.
        made_from: u64,
        /// The revision in force; 0: the node is not there.
        current: u64,
    },
}

/// What became of a candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The node is new.
    Created {
        /// Its revision now.
        revision: u64,
    },
    /// The node has other content now.
    Updated {
        /// Its revision now.
        revision: u64,
    },
    /// The node had this content already.
    Unchanged {
        /// Its revision.
        revision: u64,
    },
    /// Nothing of it was taken.
    Rejected(Rejection),
}

/// The answer to a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upserted {
    /// What the caller is told.
    pub answer: Answer,
    /// The answer was given before, to an earlier request with the same key.
    pub replayed: bool,
    /// How many nodes changed now.
    pub changed: usize,
}

impl Store {
    /// Takes a batch in. `answer` puts the outcomes, in the order of the candidates, into words; with a key these are
    /// kept in the same transaction.
    pub async fn upsert(
        &self,
        upsert: Upsert<'_>,
        answer: impl Fn(&[Outcome]) -> Answer,
    ) -> Result<Upserted, StoreError> {
        let contents = upsert
            .candidates
            .iter()
            .map(|candidate| Content::new(&candidate.config))
            .collect::<Result<Vec<_>, _>>()?;
        if upsert.key.is_none()
            && let Some(outcomes) = self.all_unchanged(&upsert, &contents).await?
        {
            return Ok(Upserted::now(answer(&outcomes), 0));
        }
        let mut transaction = self.database.write(upsert.cluster.as_str()).await?;
        if let Some(key) = upsert.key
            && let Some(earlier) = idempotency::find(&mut transaction, upsert.cluster, upsert.caller, key).await?
        {
            return Ok(Upserted {
                answer: earlier,
                replayed: true,
                changed: 0,
            });
        }
        let (outcomes, changed) = self.take(&mut transaction, &upsert, &contents).await?;
        let answer = answer(&outcomes);
        if let Some(key) = upsert.key {
            let (cluster, caller) = (upsert.cluster, upsert.caller);
            idempotency::keep(&mut transaction, (cluster, caller, key), &answer, self.now()).await?;
        }
        commit(transaction).await?;
        Ok(Upserted::now(answer, changed))
    }

    async fn all_unchanged(
        &self,
        upsert: &Upsert<'_>,
        contents: &[Content],
    ) -> Result<Option<Vec<Outcome>>, StoreError> {
        let mut connection = self.database.read().await?;
        if self.registration == Registration::Strict {
            providers::require(&mut connection, upsert.cluster).await?;
        }
        let current = Current::read(&mut connection, upsert.cluster, upsert.candidates).await?;
        let unchanged = |(candidate, content): (&Candidate, &Content)| match current.get(&candidate.config.node_name) {
            Some(Known::Present { revision, digest }) if *digest == content.digest => {
                Some(Outcome::Unchanged { revision: *revision })
            }
            _ => None,
        };
        Ok(upsert.candidates.iter().zip(contents).map(unchanged).collect())
    }

    /// The outcomes, and how many nodes changed.
    async fn take(
        &self,
        connection: &mut AnyConnection,
        upsert: &Upsert<'_>,
        contents: &[Content],
    ) -> Result<(Vec<Outcome>, usize), StoreError> {
        let now = self.now();
        if upsert.candidates.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let current = Current::read(connection, upsert.cluster, upsert.candidates).await?;
        let mut outcomes = sort(upsert.candidates, contents, &current);
        let wishes = wishes(upsert.candidates, &outcomes);
        let held = current::holders(connection, upsert.cluster, &wishes).await?;
        reject(upsert.candidates, &mut outcomes, &wishes, &held);
        let changes: Vec<_> = upsert
            .candidates
            .iter()
            .zip(contents)
            .zip(&outcomes)
            .filter_map(|((candidate, content), outcome)| write::Change::new(candidate, content, outcome))
            .collect();
        if !changes.is_empty() {
            let sequence = providers::enter(connection, upsert.cluster, self.registration, now).await?;
            let context = write::Context {
                cluster: upsert.cluster,
                caller: upsert.caller,
                now,
            };
            write::write(connection, &context, sequence, &changes).await?;
        } else if self.registration == Registration::Strict {
            providers::require(connection, upsert.cluster).await?;
        }
        Ok((outcomes, changes.len()))
    }
}

impl Upserted {
    const fn now(answer: Answer, changed: usize) -> Self {
        Self {
            answer,
            replayed: false,
            changed,
        }
    }
}

/// What each candidate would become if nobody stood in its way.
fn sort(candidates: &[Candidate], contents: &[Content], current: &Current) -> Vec<Outcome> {
    let outcome = |(candidate, content): (&Candidate, &Content)| {
        let known = current.get(&candidate.config.node_name);
        let in_force = known.map_or(0, Known::in_force);
        match known {
            // Content that is there already is never stale: an answer that got lost is asked for again.
            Some(Known::Present { revision, digest }) if *digest == content.digest => {
                Outcome::Unchanged { revision: *revision }
            }
            _ if candidate.made_from.is_some_and(|made_from| made_from != in_force) => {
                Outcome::Rejected(Rejection::Stale {
                    made_from: candidate.made_from.unwrap_or_default(),
                    current: in_force,
                })
            }
            Some(Known::Present { revision, .. }) => Outcome::Updated { revision: revision + 1 },
            Some(Known::Deleted { revision }) => Outcome::Created { revision: revision + 1 },
            None => Outcome::Created { revision: 1 },
        }
    };
    candidates.iter().zip(contents).map(outcome).collect()
}

fn wishes<'a>(candidates: &'a [Candidate], outcomes: &[Outcome]) -> Vec<Wish<'a>> {
    candidates
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| matches!(outcome, Outcome::Created { .. } | Outcome::Updated { .. }))
        .map(|(candidate, _)| Wish {
            node: &candidate.config.node_name,
            wanted: &candidate.config.interfaces,
        })
        .collect()
}

fn reject(candidates: &[Candidate], outcomes: &mut [Outcome], wishes: &[Wish<'_>], held: &Holders) {
    let rejections = arbitrate::arbitrate(wishes, held);
    let changing: BTreeSet<_> = wishes.iter().map(|wish| wish.node).collect();
    let changed = candidates
        .iter()
        .zip(outcomes)
        .filter(|(candidate, _)| changing.contains(&candidate.config.node_name));
    for ((_, outcome), rejection) in changed.zip(rejections) {
        if let Some(rejection) = rejection {
            *outcome = Outcome::Rejected(rejection);
        }
    }
}
