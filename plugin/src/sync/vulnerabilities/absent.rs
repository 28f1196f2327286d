//! What a full read must not take for gone: endpoints that are held and have no rows any more.
//!
//! Host Insights forgets endpoints that do not report, and an endpoint whose list of CVEs is empty has no row: neither proves that anything
//! was fixed. They are looked up like the others. One that `get_endpoint` knows is handed over as a part without CVEs, which closes
//! nothing; one that it does not know is left to the platform, which takes for gone what a proven full read did not see.

use super::held::Walk;
use super::rows::{Group, Next, Rows};
use crate::contract::Fault;
use crate::platform::{Body, Platform};

/// The rows of a full read, with what is held walked along.
pub(super) struct Absent<P> {
    platform: P,
    walk: Walk,
    /// The next endpoint that has rows.
    ahead: Option<Group>,
}

impl<P: Platform> Absent<P> {
    /// What is held after the endpoint `after`.
    pub fn new(platform: P, after: Option<String>) -> Absent<P> {
        Absent {
            platform,
            walk: Walk::new("vulnerabilities", after),
            ahead: None,
        }
    }

    /// The next endpoint, with rows or without.
    pub async fn next<B: Body>(&mut self, rows: &mut Rows<B>) -> Result<Next, Fault> {
        if self.ahead.is_none() {
            match rows.next().await? {
                Next::Group(group) => self.ahead = Some(group),
                // Beyond the end of what is cut off nothing is known to be absent.
                Next::End if rows.are_whole() => {}
                other => return Ok(other),
            }
        }
        let before = self.ahead.as_ref().map(|group| group.endpoint_id.as_str());
        Ok(match self.walk.below(&self.platform, before).await? {
            Some(key) => Next::Group(Group::absent(key)),
            None => self.ahead.take().map_or(Next::End, Next::Group),
        })
    }
}
