//! A connection: one configured connector of one tenant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MapOrigin, SetAside};
use crate::domain::{ConnectionId, ConnectionName, DataStreamName, PROXY_CREDENTIALS, Timestamp};

/// A connection: one configured connector of one tenant. Holds no secret, only their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// 0 until it is saved.
    pub id: ConnectionId,
    /// Unique among the tenant's connections.
    pub name: ConnectionName,
    /// What the user wrote about it, "" for nothing.
    pub description: String,
    /// The build of the connector that it is bound to.
    pub component: ComponentRef,
    /// What that build can reach, as the connector's profile in JSON, to compare a later build with; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Value>,
    /// The configuration as the user typed it, without secrets, to complete it anew with a later build.
    pub typed_config: Value,
    /// The configuration as the connector completed it, without secrets.
    pub config: Value,
    /// Name and origin.
    pub origins: Vec<(String, String)>,
    /// Names of the secrets that its requests use.
    pub secrets: Vec<String>,
    /// The data streams that the user chose, in the manifest's order.
    pub data_streams: Vec<DataStreamName>,
    /// For each data stream a canonical text of all that narrows it.
    pub scope: Vec<(String, String)>,
    /// What the user chose about assets and full syncs.
    pub policy: Policy,
    /// Name of the target model.
    pub target: String,
    /// The map of each data stream.
    pub maps: BTreeMap<DataStreamName, StoredMap>,
    /// Whether it may talk to this machine itself, as it must with the simulator.
    pub allow_loopback: bool,
    /// How its requests get out, where that is not straight.
    #[serde(default, skip_serializing_if = "WayOut::is_straight")]
    pub way_out: WayOut,
    /// Whether its test passed.
    pub tested: Tested,
    /// Whether users' names are left out of all that is kept of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leave_out_users: bool,
    /// Why it is not run until someone looks, where that is so. The store's own word: what its runs came to.
    #[serde(skip)]
    pub set_aside: Option<SetAside>,
    /// When a secret was last replaced: whoever reads since may be allowed to see less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_changed_at: Option<Timestamp>,
    /// When it was first saved.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Connection {
    /// What narrows a data stream, "" where nothing does.
    pub fn scope_of(&self, stream: &DataStreamName) -> &str {
        self.scope
            .iter()
            .find(|(name, _)| name == stream.as_str())
            .map_or("", |(_, scope)| scope)
    }

    /// Names of all sealed secrets that are kept with it: the connector's and the host's own.
    pub fn kept_secrets(&self) -> Vec<&str> {
        let proxy = self.way_out.proxy.as_ref();
        let own = proxy
            .filter(|proxy| proxy.credentials)
            .map(|_| PROXY_CREDENTIALS);
        self.secrets.iter().map(String::as_str).chain(own).collect()
    }
}

/// How a connection's requests get out, where that is not straight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WayOut {
    /// Certificates (PEM) of authorities that are trusted beside the machine's own.
    pub authorities: Vec<String>,
    /// The proxy that requests go through.
    pub proxy: Option<KeptProxy>,
}

impl WayOut {
    /// Whether there is neither a proxy nor an authority.
    pub fn is_straight(&self) -> bool {
        self.authorities.is_empty() && self.proxy.is_none()
    }
}

/// A proxy as it is kept: without user and password, which are sealed beside the connection's secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptProxy {
    /// Its URL.
    pub address: String,
    /// Whether it is given a user and a password.
    pub credentials: bool,
}

/// A build of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRef {
    /// The connector's name.
    pub name: String,
    /// The connector's version.
    pub version: String,
    /// SHA-256 of the component's bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// What the platform does with what is read: the user's choice, or none, which leaves it to the target model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Whether mapped values overwrite those of assets that exist.
    pub update_existing_assets: Option<bool>,
    /// Whether assets that do not exist are created.
    pub auto_onboard_assets: Option<bool>,
    /// Days after which a full sync is due.
    pub full_sync_every_days: Option<u16>,
}

/// The map that a connection uses for a data stream, kept whole so that it can't change under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMap {
    /// Its name.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// SHA-256 of its body, lower-case hexadecimal.
    pub hash: String,
    /// The map itself: JSON text.
    pub body: String,
    /// Where it comes from. Connections that were saved before this was known have it as bundled; then its name decides.
    #[serde(default, skip_serializing_if = "MapOrigin::is_bundled")]
    pub origin: MapOrigin,
}

impl StoredMap {
    /// What whoever chooses it should know before, where its author wrote that down.
    pub fn caution(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Cautious {
            caution: Option<String>,
        }
        serde_json::from_str::<Cautious>(&self.body).ok()?.caution
    }
}

/// A secret as it is kept: what it holds is opaque to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Its name.
    pub name: String,
    /// What opens to it with the tenant's key.
    pub sealed: Vec<u8>,
}

/// A sealed secret as it is kept, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// The connection's id, which the secret is bound to.
    pub connection: ConnectionId,
    /// The connection's name, for messages.
    pub connection_name: ConnectionName,
    /// The secret's name.
    pub name: String,
    /// What opens to it with the tenant's key.
    pub sealed: Vec<u8>,
}

/// Whether a connection's test passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Tested {
    /// It did, last at this time.
    Passed {
        /// When.
        at: Timestamp,
    },
    /// It was never tried, or not since something changed.
    Untested {
        /// Why ("skipped by --skip-test").
        reason: String,
    },
}

/// What goes with a connection that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Assets, findings, records and runs stay.
    KeepData,
    /// All that it brought goes, but for assets that something else feeds too.
    Data,
}
