//! The form in which a secret is kept: XChaCha20-Poly1305, bound to the place where it belongs.
//!
//! Version 1 is `[1] [key id: 8] [nonce: 24] [ciphertext and tag]`. Tenant, connection, name and key id are authenticated with
//! it, so a sealed secret that is copied to another row, or another tenant's store, does not open there.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::zeroize::Zeroizing;

use super::Secret;
use super::keyring::{KeyId, Keyring};

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

/// The secret's place: what a sealed value is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The tenant's name.
    pub tenant: &'a str,
    /// The connection's id, which no other connection gets, also after this one is gone.
    pub connection: &'a str,
    /// The secret's name in the configuration.
    pub name: &'a str,
}

/// Why a secret can't be sealed or opened. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system gave no random bytes.
    #[error("the system's random number generator failed; the secret `{name}` was not stored")]
    Random {
        /// The secret's name.
        name: String,
    },
    /// The cipher refused; only for values beyond all bounds.
    #[error("the secret `{name}` could not be encrypted")]
    Cipher {
        /// The secret's name.
        name: String,
    },
    /// Not a sealed secret, or of a later version.
    #[error(
        "the stored secret `{name}` is damaged or was written by a later version; give it again"
    )]
    Format {
        /// The secret's name.
        name: String,
    },
    /// Sealed with a master key that is not here.
    #[error(
        "the secret `{name}` is encrypted with the master key {key}, which is not among the keys here; \
         bring that key back, or give the secret again"
    )]
    UnknownKey {
        /// The secret's name.
        name: String,
        /// Which key.
        key: KeyId,
    },
    /// The key is right and the value was changed, or belongs elsewhere.
    #[error(
        "the stored secret `{name}` was changed, or belongs to another connection; give it again"
    )]
    Tampered {
        /// The secret's name.
        name: String,
    },
}

impl SealError {
    /// The secret's name.
    pub fn secret(&self) -> &str {
        match self {
            SealError::Random { name }
            | SealError::Cipher { name }
            | SealError::Format { name }
            | SealError::UnknownKey { name, .. }
            | SealError::Tampered { name } => name,
        }
    }
}

impl Keyring {
    /// Seals a secret with the tenant's current key.
    pub fn seal(&self, place: &Place<'_>, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let name = || place.name.to_owned();
        let id = self.current().id();
        let key = self.current().tenant_key(place.tenant);
        let mut nonce = [0u8; NONCE];
        SysRng
            .try_fill_bytes(&mut nonce)
            .map_err(|_| SealError::Random { name: name() })?;
        let aad = associated(place, id);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: &aad,
        };
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let text = cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| SealError::Cipher { name: name() })?;
        let mut sealed = Vec::with_capacity(1 + KEY_ID + NONCE + text.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&id.0);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Opens a sealed secret, in the place where it was sealed.
    pub fn open_sealed(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
        let name = || place.name.to_owned();
        let format = || SealError::Format { name: name() };
        let (id, rest) = key_id(sealed).ok_or_else(format)?;
        let (nonce, text) = rest.split_at_checked(NONCE).ok_or_else(format)?;
        let master = self.find_key(id).ok_or_else(|| SealError::UnknownKey {
            name: name(),
            key: id,
        })?;
        let key = master.tenant_key(place.tenant);
        let aad = associated(place, id);
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let value = cipher
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: text,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| SealError::Tampered { name: name() })?;
        let value = std::str::from_utf8(&value).map_err(|_| format())?;
        Ok(Secret::new(value.to_owned()))
    }

    /// The same secret sealed with the current key, or none where it is already.
    pub fn reseal(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        let (id, _) = key_id(sealed).ok_or_else(|| SealError::Format {
            name: place.name.to_owned(),
        })?;
        if id == self.current().id() {
            return Ok(None);
        }
        let secret = self.open_sealed(place, sealed)?;
        self.seal(place, &secret).map(Some)
    }
}

/// The key that sealed a value; none where it is no sealed value of this version.
pub fn sealed_with(sealed: &[u8]) -> Option<KeyId> {
    key_id(sealed).map(|(id, _)| id)
}

/// The id of the key that sealed a value, and what follows it.
fn key_id(sealed: &[u8]) -> Option<(KeyId, &[u8])> {
    let (&version, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<KEY_ID>()?;
    (version == VERSION).then_some((KeyId(*id), rest))
}

/// What is authenticated beside the value. Each piece stands behind its length, so no two places give the same bytes.
fn associated(place: &Place<'_>, id: KeyId) -> Vec<u8> {
    let mut bytes = b"host-runner sealed secret".to_vec();
    bytes.push(VERSION);
    bytes.extend_from_slice(&id.0);
    for piece in [place.tenant, place.connection, place.name] {
        bytes.extend_from_slice(&(piece.len() as u64).to_be_bytes());
        bytes.extend_from_slice(piece.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::MasterKey;
    use super::*;

    const PLACE: Place<'static> = Place {
        tenant: "acme",
        connection: "7",
        name: "apiKey",
    };

    fn keyring(byte: u8) -> Keyring {
        Keyring::from_keys(
            MasterKey::parse(&format!("{byte:02x}").repeat(32)).unwrap(),
            Vec::new(),
        )
    }

    fn secret() -> Secret {
        Secret::new("test-key".to_owned())
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_holds_no_trace_of_the_value() {
        let sealed = keyring(1).seal(&PLACE, &secret()).unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"test"));
        assert_eq!(
            keyring(1).open_sealed(&PLACE, &sealed).unwrap().expose(),
            "test-key"
        );
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_way_twice() {
        assert_ne!(
            keyring(1).seal(&PLACE, &secret()).unwrap(),
            keyring(1).seal(&PLACE, &secret()).unwrap()
        );
    }

    #[test]
    fn it_opens_in_no_other_place() {
        let sealed = keyring(1).seal(&PLACE, &secret()).unwrap();
        for place in [
            Place {
                tenant: "other",
                ..PLACE
            },
            Place {
                connection: "8",
                ..PLACE
            },
            Place {
                name: "other",
                ..PLACE
            },
            // The same letters, cut elsewhere.
            Place {
                tenant: "acme7",
                connection: "",
                ..PLACE
            },
        ] {
            assert!(
                matches!(
                    keyring(1).open_sealed(&place, &sealed),
                    Err(SealError::Tampered { .. })
                ),
                "{place:?}"
            );
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = keyring(1).seal(&PLACE, &secret()).unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(
                keyring(1).open_sealed(&PLACE, &changed).is_err(),
                "byte {place}"
            );
        }
        for length in 0..sealed.len() {
            assert!(
                keyring(1).open_sealed(&PLACE, &sealed[..length]).is_err(),
                "cut to {length}"
            );
        }
    }

    #[test]
    fn a_key_that_is_not_here_is_named() {
        let sealed = keyring(1).seal(&PLACE, &secret()).unwrap();
        let error = keyring(2).open_sealed(&PLACE, &sealed).unwrap_err();
        assert_eq!(
            error,
            SealError::UnknownKey {
                name: "apiKey".to_owned(),
                key: keyring(1).current().id()
            }
        );
    }

    #[test]
    fn resealing_moves_a_secret_to_the_current_key_and_leaves_the_others_alone() {
        let old = keyring(1);
        let sealed = old.seal(&PLACE, &secret()).unwrap();
        assert_eq!(old.reseal(&PLACE, &sealed), Ok(None));
        let both = Keyring::from_keys(keyring(2).current().clone(), vec![old.current().clone()]);
        let resealed = both.reseal(&PLACE, &sealed).unwrap().unwrap();
        assert_eq!(
            keyring(2).open_sealed(&PLACE, &resealed).unwrap().expose(),
            "test-key"
        );
        assert!(old.open_sealed(&PLACE, &resealed).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_opening_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(keyring(1).open_sealed(&PLACE, &bytes).is_err());
        }
    }
}
