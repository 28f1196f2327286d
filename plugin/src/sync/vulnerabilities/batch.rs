//! Endpoints to be looked up and handed over together.

use super::absent::Absent;
use super::known::{Known, Turn, Verdict};
use super::rows::{Group, Next, Rows};
use crate::contract::{Fault, Quarantined};
use crate::platform::{Body, Platform};

/// How many endpoints are looked up at once: as many as a page of `get_endpoint` holds.
const ENDPOINTS: usize = 100;

/// How many rows a batch may hold before it is handed over with fewer endpoints: its memory must not depend on how many CVEs
/// an endpoint has. A row takes some 600 bytes.
const ROWS: usize = 5_000;

/// How many endpoints that need no look-up go along.
const OTHERS: usize = 1_000;

/// What is held, as the mode of the read uses it.
pub(super) enum Held<P> {
    /// A full read looks for what has no rows any more.
    Full(Absent<P>),
    /// An incremental one looks for what is as it was.
    Incremental(Known<P>),
}

/// A batch.
#[derive(Default)]
pub(super) struct Batch {
    /// Endpoints to be looked up.
    pub groups: Vec<Group>,
    /// Rows that belong to no endpoint.
    pub quarantine: Vec<Quarantined>,
    /// Endpoints that are as they are held.
    pub confirmed: Vec<String>,
    /// Endpoints that are not held, and left out without having been looked up.
    pub left_out: u64,
    /// The last endpoint of the batch, whatever became of it.
    pub last: Option<String>,
    /// Whose turn it is after it.
    pub turn: Option<Turn>,
}

impl Batch {
    /// The next batch; none at the end.
    pub async fn next<B: Body, P: Platform>(
        rows: &mut Rows<B>,
        held: &mut Held<P>,
    ) -> Result<Option<Batch>, Fault> {
        let mut batch = Batch::default();
        let mut read = 0;
        let mut others = 0;
        while batch.groups.len() < ENDPOINTS && read < ROWS && others < OTHERS {
            let next = match held {
                Held::Full(absent) => absent.next(rows).await?,
                Held::Incremental(_) => rows.next().await?,
            };
            let mut group = match next {
                Next::Group(group) => group,
                Next::Unreadable(unreadable) => {
                    batch.quarantine.push(*unreadable);
                    others += 1;
                    continue;
                }
                Next::End => break,
            };
            batch.last = Some(group.endpoint_id.clone());
            let verdict = match held {
                Held::Full(_) => Verdict::LookUp,
                Held::Incremental(known) => known.judge(&mut group).await?,
            };
            match verdict {
                Verdict::LookUp => {
                    read += group.rows;
                    batch.groups.push(group);
                }
                Verdict::Confirm => batch.confirmed.push(group.endpoint_id),
                Verdict::Leave => batch.left_out += 1,
            }
            others += usize::from(verdict != Verdict::LookUp);
        }
        if let Held::Incremental(known) = held {
            batch.turn = Some(known.turn.clone());
        }
        let something = batch.last.is_some() || !batch.quarantine.is_empty();
        Ok(something.then_some(batch))
    }

    /// The endpoints to be looked up.
    pub fn ids(&self) -> Vec<String> {
        self.groups
            .iter()
            .map(|group| group.endpoint_id.clone())
            .collect()
    }
}
