//! What `doctor` wants to know about the management API: reached, allowed, and able to read back?

use multinic_model::ClusterId;

use crate::{DeliveryError, ManagementApi, read_back::is_not_offered};

/// What the server offers. Being unreachable or unauthorised is an error instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probe {
    /// It reads back: interface ids survive whatever happens to the operator.
    ReadBack,
    /// It answers, but has no GET; ids follow the deterministic order. Whether it takes POSTs is not known without
    /// sending one: this is also what a wrong address looks like.
    NoReadBack {
        /// 404, 405 or 501.
        status: u16,
    },
}

impl ManagementApi {
    /// Asks for one node config of the cluster; nothing is changed.
    pub async fn probe(&self, cluster: &ClusterId) -> Result<Probe, DeliveryError> {
        let answer = self.page(cluster, 1, None).await?;
        if is_not_offered(answer.status) {
            return Ok(Probe::NoReadBack {
                status: answer.status.as_u16(),
            });
        }
        self.read_page(&answer).map(|_| Probe::ReadBack)
    }
}
