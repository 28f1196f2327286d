//! The `survey` verb on a connection: what its tenant holds and the platform does not see.
//!
//! Two halves: what the component finds out at the API, and what the platform itself read and does not show. Takes no lock and keeps nothing,
//! so that it can be asked at any time, also while a sync runs.

mod accept;

use std::sync::Arc;

use super::{ConnectionError, Desk, binding, link};
use crate::contract::connector::BlindSpot;
use crate::domain::{ConnectionName, TenantName};
use crate::egress::Rate;
use crate::imports::Reach;
use crate::pipeline::StoreInventory;
use crate::store::{Connection, LeftOut, Store};

/// Keys of records that are shown of each kind.
const EXAMPLES: u32 = 5;

/// What a connection does not see.
#[derive(Debug, Clone)]
pub struct SurveyReport {
    /// What the tenant holds and the configuration leaves out, as the component found it, checked.
    pub asked: Vec<BlindSpot>,
    /// What was read and is not shown, by data stream.
    pub held: Vec<LeftOut>,
    /// The connection.
    pub connection: Connection,
}

/// Finds out what a saved connection does not see. Agents that did not report for `silent_days` days count as silent.
///
/// # Errors
/// Where nothing could be asked, or the component broke the contract. What the API refuses is no error: it stands in the report.
pub async fn survey(
    desk: &Desk,
    tenant: &TenantName,
    name: &ConnectionName,
    silent_days: u16,
    rate: Rate,
) -> Result<SurveyReport, ConnectionError> {
    let store = desk.stores.open(tenant).await?;
    let connection = store.connection(name).await?;
    binding::check(&desk.plugin, &connection)?;
    let egress = link::of_connection(desk, &store, &connection, rate).await?;
    let reach = Reach {
        egress: Some(egress),
        inventory: Arc::new(StoreInventory {
            store: store.clone(),
            connection: connection.id,
            streams: connection.data_streams.clone(),
            before: None,
        }),
        clock: desk.plugin.clock(),
        log: desk.log(name),
        tap: None,
    };
    let config = connection.config.to_string().into_bytes();
    let spots = desk.plugin.survey(config, silent_days, reach).await?;
    Ok(SurveyReport {
        asked: accept::report(spots)?,
        held: store.left_out(connection.id, EXAMPLES).await?,
        connection,
    })
}
