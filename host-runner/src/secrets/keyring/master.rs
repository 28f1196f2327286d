//! A master key: how it is read and written, what is made of it, and what it is called.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::zeroize::{Zeroize, Zeroizing};
use sha2::{Digest, Sha256};

use super::KeyringError;

const LENGTH: usize = 32;

/// Names a master key without telling anything about it: the beginning of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(in crate::secrets) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// 32 random bytes from which the tenants' keys are made. Wiped when dropped.
#[derive(Clone)]
pub struct MasterKey(pub(super) Zeroizing<[u8; LENGTH]>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, [secret])", self.id())
    }
}

impl MasterKey {
    /// A new one from the system's random numbers.
    pub fn generate() -> Result<Self, KeyringError> {
        let mut bytes = Zeroizing::new([0u8; LENGTH]);
        SysRng
            .try_fill_bytes(bytes.as_mut_slice())
            .map_err(|_| KeyringError::Random)?;
        Ok(MasterKey(bytes))
    }

    /// Reads 64 hexadecimal digits, or Base64 (either alphabet, padded or not).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == 2 * LENGTH {
            from_hex(text)?
        } else {
            from_base64(text)?
        };
        Some(MasterKey(bytes))
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        let hash = Sha256::new()
            .chain_update(b"host-runner key id")
            .chain_update(self.0.as_slice())
            .finalize();
        let mut id = [0u8; 8];
        id.iter_mut()
            .zip(hash.iter())
            .for_each(|(to, from)| *to = *from);
        KeyId(id)
    }

    /// The key of one tenant: HMAC-SHA256 of the tenant's name (RFC 5869's expansion to a single block).
    pub(in crate::secrets) fn tenant_key(&self, tenant: &str) -> Zeroizing<[u8; LENGTH]> {
        // HMAC fills a short key up with zeros to the hash's block; done here, no length can be wrong.
        let mut block = Zeroizing::new([0u8; 64]);
        block
            .iter_mut()
            .zip(self.0.iter())
            .for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(b"host-runner tenant key");
        mac.update(tenant.as_bytes());
        mac.update(&[1]);
        let mut made = mac.finalize().into_bytes();
        let mut key = Zeroizing::new([0u8; LENGTH]);
        key.iter_mut()
            .zip(made.iter())
            .for_each(|(to, from)| *to = *from);
        made.as_mut_slice().zeroize();
        key
    }

    /// As a line of a key file. Nothing else shows a key.
    pub(super) fn to_line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(2 * LENGTH + 1));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
            }
        }
        line.push('\n');
        line
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let mut bytes = Zeroizing::new([0u8; LENGTH]);
    for (to, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let [high, low] = pair else { return None };
        let digit = |c: u8| char::from(c).to_digit(16);
        *to = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let text = text.trim_end_matches('=');
    // 32 bytes are 43 characters, of which the last carries four bits.
    if text.len() != 43 {
        return None;
    }
    let mut bytes = Zeroizing::new([0u8; LENGTH]);
    let mut room = bytes.iter_mut();
    let (mut held, mut bits) = (0u32, 0u32);
    for c in text.bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *room.next()? = u8::try_from(held >> bits & 0xff).ok()?;
        }
    }
    // What is left over must be nought, else two texts would name one key.
    (held & ((1 << bits) - 1) == 0 && room.next().is_none()).then_some(bytes)
}
