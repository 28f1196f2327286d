//! The `test` verb on a connection: a report of all that a sync will need.

use std::sync::Arc;

use serde_json::Value;

use super::connect::Onlooker;
use super::{ConnectionError, Desk, binding, link};
use crate::contract::connector::{Check, Verdict};
use crate::domain::{ConnectionName, TenantName, cut};
use crate::egress::{Egress, Rate};
use crate::imports::{LogSink, NoInventory, Reach};
use crate::store::{Connection, Store, Tested};

/// What the test of a saved connection gave.
#[derive(Debug, Clone)]
pub struct TestReport {
    /// Each check, as the component reports it.
    pub checks: Vec<Check>,
    /// The connection, with what is remembered now.
    pub connection: Connection,
}

/// Whether a report has no failed check.
pub fn passed(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.verdict != Verdict::Failed)
}

/// Tests a saved connection and remembers the outcome.
///
/// # Errors
/// Where the test could not be made. A failed check is no error: it stands in the report.
pub async fn test(
    desk: &Desk,
    tenant: &TenantName,
    name: &ConnectionName,
    rate: Rate,
    onlooker: &dyn Onlooker,
) -> Result<TestReport, ConnectionError> {
    let store = desk.stores.open(tenant).await?;
    let connection = store.connection(name).await?;
    binding::check(&desk.plugin, &connection)?;
    let egress = link::of_connection(desk, &store, &connection, rate).await?;
    let checks = run(desk, egress, &connection.config, desk.log(name)).await?;
    onlooker.tested(&checks);
    // Read again: it may have been changed while the test ran.
    let mut connection = store.connection(name).await?;
    connection.tested = if passed(&checks) {
        Tested::Passed {
            at: desk.clock.now(),
        }
    } else {
        Tested::Untested {
            reason: "its last test failed".to_owned(),
        }
    };
    store.update_connection(&connection, &[]).await?;
    Ok(TestReport { checks, connection })
}

/// Runs the test for a connection that is being set up or changed.
///
/// # Errors
/// [`ConnectionError::TestFailed`] where a check failed.
pub(super) async fn passes(
    desk: &Desk,
    egress: Arc<Egress>,
    config: &Value,
    log: Arc<dyn LogSink>,
    onlooker: &dyn Onlooker,
) -> Result<Tested, ConnectionError> {
    let checks = run(desk, egress, config, log).await?;
    onlooker.tested(&checks);
    if passed(&checks) {
        Ok(Tested::Passed {
            at: desk.clock.now(),
        })
    } else {
        Err(ConnectionError::TestFailed(checks))
    }
}

async fn run(
    desk: &Desk,
    egress: Arc<Egress>,
    config: &Value,
    log: Arc<dyn LogSink>,
) -> Result<Vec<Check>, ConnectionError> {
    let reach = Reach {
        egress: Some(egress),
        inventory: Arc::new(NoInventory),
        clock: desk.plugin.clock(),
        log,
        tap: None,
    };
    let checks = desk
        .plugin
        .test(config.to_string().into_bytes(), reach)
        .await?;
    readable(checks)
}

/// Checks of one report that are shown.
const MOST: usize = 200;
/// Characters of a name, of a detail and of a remedy.
const LONGEST_NAME: usize = 200;
const LONGEST_TEXT: usize = 2_000;

/// The report, no longer than a person reads.
fn readable(mut checks: Vec<Check>) -> Result<Vec<Check>, ConnectionError> {
    if checks.len() > MOST {
        return Err(ConnectionError::Contract(format!(
            "it told {} checks, and a report has at most {MOST}",
            checks.len()
        )));
    }
    for check in &mut checks {
        cut(&mut check.name, LONGEST_NAME);
        cut(&mut check.detail, LONGEST_TEXT);
        cut(&mut check.remedy, LONGEST_TEXT);
    }
    Ok(checks)
}
