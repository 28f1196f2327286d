//! Where the values of a document came from: the source path, the raw value, the rule and the conversion of each.
//!
//! Nothing of that is kept with documents. The kept records are mapped again, as they would be now, and what comes out is compared with what is held: so
//! each value is told either as one that a record gives now, or as one that the platform fills in, or as one that an earlier record, map or import
//! laid down.

mod absent;
mod field;
pub(super) mod place;
mod witness;

use futures_util::TryStreamExt;
use serde_json::Value;

pub use self::field::{Field, Given, Origin};
use self::field::{Held, fields};
use self::place::{matches, nearest};
pub use self::place::{named, path};
pub use self::witness::Witness;
use super::{ConnectionError, Desk};
use crate::domain::{ConnectionName, TenantName};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    AssetFilter, AssetState, DocumentKind, FindingFilter, FindingState, HeldDocument, Store,
    StoreError,
};

/// What to explain.
#[derive(Debug, Clone)]
pub struct ExplainRequest {
    /// Whose.
    pub tenant: TenantName,
    /// The key of an asset or a finding, or the name of an asset's host.
    pub key: String,
    /// Only what stands at this path of the document, or below it.
    pub target: Option<String>,
    /// Only what this connection brought.
    pub connection: Option<ConnectionName>,
}

/// A document, explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// An asset or a finding.
    pub kind: DocumentKind,
    /// Its keys.
    pub keys: Vec<String>,
    /// Its host and its title.
    pub host: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// How it stands, in a word.
    pub state: &'static str,
    /// The records that it comes from, in the order in which they were laid over.
    pub witnesses: Vec<Witness>,
    /// Its values, by place.
    pub fields: Vec<Field>,
}

/// Why a document can't be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The services.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// There is no such document.
    #[error("tenant {tenant} holds no asset or finding with the key or host name \"{key}\"")]
    NoSuchKey {
        /// Whose.
        tenant: TenantName,
        /// What was typed.
        key: String,
        /// What may have been meant.
        near: Vec<String>,
    },
    /// Several assets bear the name.
    #[error("several assets bear the host name \"{name}\"")]
    SeveralHosts {
        /// What was typed.
        name: String,
        /// Their keys.
        keys: Vec<String>,
    },
    /// The document has no such place.
    #[error("the document has no value at \"{path}\"")]
    NoSuchPath {
        /// What was typed.
        path: String,
        /// What may have been meant.
        near: Vec<String>,
    },
}

/// Explains the documents that a key means: mostly one, and several where connections or data streams use the same key.
///
/// # Errors
/// Where there is none, or the component can't be asked.
pub async fn explain(
    desk: &Desk,
    request: &ExplainRequest,
) -> Result<Vec<Explained>, ExplainError> {
    let store = desk.stores.open(&request.tenant).await?;
    let connection = match &request.connection {
        Some(name) => Some(store.connection(name).await?.id),
        None => None,
    };
    let known = store.known_by(&request.key, connection).await?;
    let documents = held(&store, &known).await?;
    if documents.is_empty() {
        return Err(no_such_key(&store, request).await?);
    }
    let by_key = |document: &Document| document.keys.contains(&request.key);
    if documents.len() > 1 && !documents.iter().any(by_key) {
        let keys = documents.into_iter().flat_map(|document| document.keys);
        return Err(ExplainError::SeveralHosts {
            name: request.key.clone(),
            keys: keys.collect(),
        });
    }
    let mut bench = witness::Bench::new(desk, &store).await?;
    let mut explained = Vec::new();
    for document in documents {
        let feeders = store.feeders(document.held).await?;
        let (witnesses, documents) = bench
            .hear(document.held.kind, &document.body, feeders)
            .await?;
        let mut fields = fields(
            &Held {
                body: &document.body,
                times: &document.times,
                standings: document.standings,
            },
            &documents,
        );
        if let Some(target) = &request.target {
            let all = std::mem::take(&mut fields);
            let near = nearest(target, all.iter().map(|field| field.target.as_str()));
            fields = all
                .into_iter()
                .filter(|field| matches(target, &field.target))
                .collect();
            if fields.is_empty() {
                return Err(ExplainError::NoSuchPath {
                    path: target.clone(),
                    near,
                });
            }
        }
        explained.push(Explained {
            kind: document.held.kind,
            keys: document.keys,
            host: document.host,
            title: document.title,
            state: document.state,
            witnesses,
            fields,
        });
    }
    Ok(explained)
}

/// A document as it is held.
struct Document {
    held: HeldDocument,
    keys: Vec<String>,
    host: Option<String>,
    title: Option<String>,
    state: &'static str,
    body: Value,
    /// What the platform knows, in words, and the time of it.
    times: Vec<(&'static str, String)>,
    /// How it stands, in the words of maps.
    standings: &'static [&'static str],
}

/// How an open document may stand. Which of the two the store does not tell; the document may.
const OPEN: &[&str] = &["new", "changed"];

async fn held(store: &SqliteStore, known: &[HeldDocument]) -> Result<Vec<Document>, ExplainError> {
    let ids = |kind: DocumentKind| -> Vec<i64> {
        known
            .iter()
            .filter(|document| document.kind == kind)
            .map(|document| document.id)
            .collect()
    };
    let mut documents = Vec::new();
    let (assets, findings) = (ids(DocumentKind::Asset), ids(DocumentKind::Finding));
    if !assets.is_empty() {
        let filter = AssetFilter {
            ids: Some(assets),
            include_inactive: true,
            include_out_of_scope: true,
            ..AssetFilter::default()
        };
        let mut rows = store.assets(&filter);
        while let Some(asset) = rows.try_next().await? {
            let mut times = vec![
                ("first seen", asset.first_seen.to_rfc3339()),
                ("last seen", asset.last_seen.to_rfc3339()),
            ];
            times.extend(asset.closed_at.map(|at| ("closed", at.to_rfc3339())));
            documents.push(Document {
                held: HeldDocument {
                    kind: DocumentKind::Asset,
                    id: asset.id,
                },
                keys: asset.keys.into_iter().map(|(_, key)| key).collect(),
                host: asset.host_name,
                title: asset.title,
                standings: match asset.state {
                    AssetState::Active => OPEN,
                    AssetState::Inactive => &["closed"],
                    AssetState::OutOfScope => &["out-of-scope"],
                },
                state: match asset.state {
                    AssetState::Active => "active",
                    AssetState::Inactive => "inactive",
                    AssetState::OutOfScope => "out of scope",
                },
                body: asset.body,
                times,
            });
        }
    }
    if !findings.is_empty() {
        let filter = FindingFilter {
            ids: Some(findings),
            include_closed: true,
            include_out_of_scope: true,
            include_parked: true,
            ..FindingFilter::default()
        };
        let mut rows = store.findings(&filter);
        while let Some(finding) = rows.try_next().await? {
            let mut times = vec![
                ("first seen", finding.first_seen.to_rfc3339()),
                ("last seen", finding.last_seen.to_rfc3339()),
            ];
            times.extend(finding.closed_at.map(|at| ("closed", at.to_rfc3339())));
            documents.push(Document {
                held: HeldDocument {
                    kind: DocumentKind::Finding,
                    id: finding.id,
                },
                keys: vec![finding.key],
                host: finding.host_name,
                title: finding.title,
                standings: match finding.state {
                    FindingState::Open if finding.reopened_at.is_some() => &["reopened"],
                    FindingState::Open => OPEN,
                    FindingState::Closed => &["closed"],
                    FindingState::OutOfScope => &["out-of-scope"],
                },
                state: match finding.state {
                    FindingState::Open if finding.asset.is_none() => "parked",
                    FindingState::Open => "open",
                    FindingState::Closed => "closed",
                    FindingState::OutOfScope => "out of scope",
                },
                body: finding.body,
                times,
            });
        }
    }
    Ok(documents)
}

/// How many names are looked at for a hint, and how many are told.
const LOOKED_AT: u32 = 2_000;
const TOLD: usize = 5;

async fn no_such_key(
    store: &SqliteStore,
    request: &ExplainRequest,
) -> Result<ExplainError, StoreError> {
    let typed = request.key.to_lowercase();
    let mut near = store.known_like(&request.key, LOOKED_AT).await?;
    near.sort_by_key(|name| strsim::damerau_levenshtein(&name.to_lowercase(), &typed));
    near.truncate(TOLD);
    Ok(ExplainError::NoSuchKey {
        tenant: request.tenant.clone(),
        key: request.key.clone(),
        near,
    })
}
