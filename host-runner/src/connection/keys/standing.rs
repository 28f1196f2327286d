//! `keys show`: where the master keys come from, and what is sealed with which.

use std::collections::{BTreeMap, BTreeSet};

use crate::connection::{ConnectionError, link};
use crate::domain::{ConnectionName, TenantName};
use crate::secrets::{KeyId, KeyLock, KeySource, Keyring, SealError, sealed_with};
use crate::store::sqlite::Stores;
use crate::store::{KeptSecret, Store};

/// How the master keys of a data directory stand.
#[derive(Debug, Clone)]
pub struct KeyStanding {
    /// Where they come from; none where there are none yet.
    pub source: Option<KeySource>,
    /// The keys that are here, the one that seals first, and then those that are not here and that something is sealed with.
    pub keys: Vec<KeyCount>,
    /// Secrets that can't be opened.
    pub lost: Vec<LostSecret>,
}

/// A master key and what is sealed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCount {
    /// Its name.
    pub id: KeyId,
    /// Whether it is here.
    pub here: bool,
    /// Whether it seals.
    pub seals: bool,
    /// Connections with a secret that is sealed with it.
    pub connections: u64,
    /// Secrets that are sealed with it.
    pub secrets: u64,
}

/// A secret that none of the keys opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostSecret {
    /// Whose.
    pub tenant: TenantName,
    /// Of which connection.
    pub connection: ConnectionName,
    /// Its name.
    pub name: String,
    /// Why it does not open.
    pub reason: SealError,
}

pub(super) fn lost(tenant: &TenantName, kept: &KeptSecret, reason: SealError) -> LostSecret {
    LostSecret {
        tenant: tenant.clone(),
        connection: kept.connection_name.clone(),
        name: kept.name.clone(),
        reason,
    }
}

/// Looks at the master keys and at every sealed secret. Makes no key and changes nothing.
///
/// # Errors
/// Where there is a key that can't be used, or a tenant's store that can't be opened.
pub async fn standing(stores: &Stores) -> Result<KeyStanding, ConnectionError> {
    // Where nothing was ever kept nothing is made either.
    let _lock = if stores.data().exists() {
        Some(KeyLock::together(stores.data()).await?)
    } else {
        None
    };
    let keyring = Keyring::find(stores.data())?;
    let mut tally: BTreeMap<KeyId, (BTreeSet<(TenantName, ConnectionName)>, u64)> = BTreeMap::new();
    let mut unopened = Vec::new();
    for tenant in stores.tenants()? {
        let store = stores.open(&tenant).await?;
        for kept in store.sealed_secrets().await? {
            if let Some(id) = sealed_with(&kept.sealed) {
                let (connections, secrets) = tally.entry(id).or_default();
                connections.insert((tenant.clone(), kept.connection_name.clone()));
                *secrets += 1;
            }
            if let Err(error) = opens(keyring.as_ref(), &tenant, &kept) {
                unopened.push(lost(&tenant, &kept, error));
            }
        }
    }
    let mut keys = Vec::new();
    for (seals, id) in here(keyring.as_ref()) {
        let (connections, secrets) = tally.remove(&id).unwrap_or_default();
        keys.push(KeyCount {
            id,
            here: true,
            seals,
            connections: connections.len() as u64,
            secrets,
        });
    }
    keys.extend(
        tally
            .into_iter()
            .map(|(id, (connections, secrets))| KeyCount {
                id,
                here: false,
                seals: false,
                connections: connections.len() as u64,
                secrets,
            }),
    );
    Ok(KeyStanding {
        source: keyring.map(|keyring| keyring.source().clone()),
        keys,
        lost: unopened,
    })
}

fn opens(
    keyring: Option<&Keyring>,
    tenant: &TenantName,
    kept: &KeptSecret,
) -> Result<(), SealError> {
    let id = kept.connection.to_string();
    let place = link::place(tenant, &id, &kept.name);
    match (keyring, sealed_with(&kept.sealed)) {
        (Some(keyring), _) => keyring.open_sealed(&place, &kept.sealed).map(drop),
        (None, Some(key)) => Err(SealError::UnknownKey {
            name: kept.name.clone(),
            key,
        }),
        (None, None) => Err(SealError::Format {
            name: kept.name.clone(),
        }),
    }
}

/// The keys that are here, each once, the one that seals first.
fn here(keyring: Option<&Keyring>) -> Vec<(bool, KeyId)> {
    let Some(keyring) = keyring else {
        return Vec::new();
    };
    let mut keys = vec![(true, keyring.current().id())];
    for id in keyring.former() {
        if keys.iter().all(|(_, known)| *known != id) {
            keys.push((false, id));
        }
    }
    keys
}
