//! Assets, as they are read out.

use serde_json::Value;

use crate::domain::{ConnectionId, Timestamp};
use crate::identification::Sources;

/// How an asset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssetState {
    /// Something feeds it, or it was imported.
    Active,
    /// Each source that fed it says that it is gone. Assets are never deleted.
    Inactive,
    /// Each source that still has it is told by its configuration to leave it out.
    OutOfScope,
}

/// Which assets to read. The default is all that are active.
#[derive(Debug, Clone, Default)]
pub struct AssetFilter {
    /// Only those fed by a record whose documents name this finding source.
    pub finding_source: Option<String>,
    /// Only those that came by this onboarding source.
    pub onboarding_source: Option<String>,
    /// Only those with an open finding of one of these severities; none means any.
    pub severities: Vec<super::Severity>,
    /// Only those of this host name, ASCII case ignored.
    pub host: Option<String>,
    /// Only those that this connection feeds or fed.
    pub connection: Option<ConnectionId>,
    /// Only those that a query asks for.
    pub query: Option<crate::query::AssetQuery>,
    /// Only these, by id.
    pub ids: Option<Vec<i64>>,
    /// As they are stored: without what only the platform knows in its places.
    pub as_stored: bool,
    /// None that are active: only what the next two let in.
    pub without_active: bool,
    /// Inactive ones too.
    pub include_inactive: bool,
    /// Those that the configuration leaves out, too.
    pub include_out_of_scope: bool,
    /// At most so many.
    pub limit: Option<u64>,
}

/// An asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Asset {
    /// Ascending in the order in which assets came to the platform.
    pub id: i64,
    /// Its keys in the connections that feed or fed it.
    pub keys: Vec<(ConnectionId, String)>,
    /// How it stands.
    pub state: AssetState,
    /// The connection that onboarded it; none where it was imported.
    pub created_by: Option<ConnectionId>,
    /// The source that brought it to the platform.
    pub onboarding_source: Option<String>,
    /// Its host name, where a map gives one.
    pub host_name: Option<String>,
    /// Its title, where a map gives one.
    pub title: Option<String>,
    /// What people filter and sort by. A name may repeat.
    pub facets: Vec<(String, String)>,
    /// What its sources say that identifies it.
    pub identity: Sources,
    /// When the platform first saw it.
    pub first_seen: Timestamp,
    /// When the platform last saw it.
    pub last_seen: Timestamp,
    /// When it became inactive or out of scope.
    pub closed_at: Option<Timestamp>,
    /// The document, with placeholders filled in.
    pub body: Value,
}
