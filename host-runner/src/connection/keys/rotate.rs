//! `keys rotate`: every secret of every tenant sealed with a new master key, and no connection lost on the way.
//!
//! The order makes it safe to die anywhere: the new key is on disk before anything is sealed with it, and the old ones are forgotten after
//! everything is committed. In between all of them open. A rotation that was interrupted is finished by the next one with the key that it made.

use super::standing::{LostSecret, lost};
use crate::connection::{ConnectionError, link};
use crate::secrets::{KeyId, KeyLock, KeySource, Keyring};
use crate::store::commit_point::{CommitPoint, reach};
use crate::store::sqlite::Stores;
use crate::store::{Store, StoreError};

/// What a rotation did.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// Where the keys are.
    pub source: KeySource,
    /// The key that seals now.
    pub key: KeyId,
    /// Keys that nothing is sealed with any more. Those of a file are gone from it; those of a variable or a command can be taken away.
    pub retired: Vec<KeyId>,
    /// Whether it finished one that was interrupted, with the key that that one had made. Only told of a file.
    pub resumed: bool,
    /// How many tenants there are.
    pub tenants: u64,
    /// How many secrets were sealed anew.
    pub resealed: u64,
    /// How many were sealed with this key already.
    pub unchanged: u64,
    /// Secrets that none of the keys opened, before the rotation as after it.
    pub lost: Vec<LostSecret>,
}

/// Rotates the master keys of a data directory.
///
/// # Errors
/// [`ConnectionError::NoKey`] where there is none yet. Where a tenant's store can't be opened or written: the old keys stay then, every secret can still be
/// opened, and the next rotation finishes this one.
pub async fn rotate(stores: &Stores) -> Result<Rotation, ConnectionError> {
    let _alone = KeyLock::alone(stores.data()).await?;
    let old = Keyring::find(stores.data())?.ok_or(ConnectionError::NoKey)?;
    // All of them are opened before anything changes: one that is damaged keeps the rotation from beginning, not from ending.
    let mut opened = Vec::new();
    for tenant in stores.tenants()? {
        opened.push(stores.open(&tenant).await?);
    }

    let staged = old.begin_rotation()?;
    reach(CommitPoint::RotationStaged);
    let keys = staged.place()?;
    reach(CommitPoint::RotationBegun);
    let mut rotation = Rotation {
        source: keys.source().clone(),
        key: keys.current().id(),
        retired: keys.former().collect(),
        resumed: old.is_rotating() && matches!(old.source(), KeySource::File(_)),
        tenants: opened.len() as u64,
        resealed: 0,
        unchanged: 0,
        lost: Vec::new(),
    };
    for store in &opened {
        reseal(store, &keys, &mut rotation).await?;
    }
    let staged = keys.finish_rotation()?;
    reach(CommitPoint::RotationEnding);
    staged.place()?;
    reach(CommitPoint::RotationEnded);
    Ok(rotation)
}

async fn reseal<S: Store>(
    store: &S,
    keys: &Keyring,
    rotation: &mut Rotation,
) -> Result<(), StoreError> {
    let (mut unchanged, mut unopened) = (0, Vec::new());
    let resealed = store
        .reseal_secrets(|kept| {
            let id = kept.connection.to_string();
            match keys.reseal(&link::place(store.tenant(), &id, &kept.name), &kept.sealed) {
                Ok(Some(sealed)) => Some(sealed),
                Ok(None) => {
                    unchanged += 1;
                    None
                }
                Err(error) => {
                    unopened.push(lost(store.tenant(), kept, error));
                    None
                }
            }
        })
        .await?;
    rotation.resealed += resealed;
    rotation.unchanged += unchanged;
    rotation.lost.append(&mut unopened);
    Ok(())
}
