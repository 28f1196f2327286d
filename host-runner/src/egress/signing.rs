//! Puts headers together, anew for each attempt. The only place where a secret meets a request.
//!
//! What is put together is wiped when the request is done with it. The HTTP client writes it into a buffer of its own on the
//! way to the socket; that buffer is not ours to wipe.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use rand::distr::{Alphanumeric, SampleString};
use secrecy::zeroize::{Zeroize, Zeroizing};
use sha2::{Digest as _, Sha256, Sha512};

use super::origin::shortened;
use super::request::{Algorithm, Digest, Encoding, Fill, Part};
use super::{Failure, Limit, Rule};
use crate::secrets::SecretSet;

/// What changes from one attempt to the next.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Milliseconds since the epoch.
    pub now_ms: u64,
    /// 64 random letters and digits.
    pub nonce: String,
}

impl Attempt {
    /// This moment, and a nonce of its own.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Attempt {
            now_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            nonce: Alphanumeric.sample_string(&mut rand::rng(), 64),
        }
    }
}

/// What headers are filled from.
#[derive(Clone, Copy, Debug)]
pub struct Ingredients<'a> {
    /// Time and nonce.
    pub attempt: &'a Attempt,
    /// The request's body.
    pub body: &'a [u8],
    /// The declared secrets.
    pub secrets: &'a SecretSet,
    /// The most bytes that all headers may take.
    pub header_bytes: u64,
}

/// Fills all headers. A value with a secret in it, or made with one, is marked as sensitive.
pub fn fill_headers(
    headers: &[(HeaderName, &[Fill])],
    from: Ingredients<'_>,
) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::with_capacity(headers.len());
    let mut left = from.header_bytes;
    for (name, fills) in headers {
        let mut value = Zeroizing::new(Vec::new());
        for fill in *fills {
            // A body can stand in a header; no more of it than a header may hold.
            fill_value(fill, from, &mut value)?;
            if value.len() as u64 > left {
                return Err(Failure::Limit(Limit::HeaderBytes));
            }
        }
        left = (name.as_str().len() as u64 + 4)
            .checked_add(value.len() as u64)
            .and_then(|bytes| left.checked_sub(bytes))
            .ok_or(Failure::Limit(Limit::HeaderBytes))?;
        let sensitive = fills.iter().any(is_sensitive);
        // The header shares the buffer, which is wiped with the last of its owners.
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(value)).map_err(|_| {
            let text = format!("the value of the header `{name}` would hold a character that HTTP does not allow there");
            Failure::denied(Rule::HeaderValue, text)
        })?;
        value.set_sensitive(sensitive);
        map.try_append(name, value)
            .map_err(|_| Failure::Limit(Limit::HeaderBytes))?;
    }
    Ok(map)
}

fn is_sensitive(fill: &Fill) -> bool {
    fill.hmac_key().is_some()
        || fill
            .parts()
            .iter()
            .any(|part| matches!(part, Part::Secret(_)))
}

fn fill_value(
    fill: &Fill,
    from: Ingredients<'_>,
    value: &mut Zeroizing<Vec<u8>>,
) -> Result<(), Failure> {
    match fill {
        Fill::Part(part) => with_part(part, from, |bytes| append(value, bytes)),
        Fill::Base64(parts) => {
            let mut plain = Zeroizing::new(Vec::new());
            for part in parts {
                with_part(part, from, |bytes| append(&mut plain, bytes))?;
            }
            encode(&plain, Encoding::Base64, value);
            Ok(())
        }
        Fill::Digest(digest) => {
            let hash = hash(digest, from)?;
            encode(&hash, digest.encoding, value);
            Ok(())
        }
    }
}

/// Gives a part's bytes to whoever wants them, without a copy.
fn with_part(
    part: &Part,
    from: Ingredients<'_>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Failure> {
    match part {
        Part::Text(text) => take(text.as_bytes()),
        Part::Secret(name) => take(secret(name, from.secrets)?.as_bytes()),
        Part::NowMs => take(from.attempt.now_ms.to_string().as_bytes()),
        Part::Nonce => take(from.attempt.nonce.as_bytes()),
        Part::Body => take(from.body),
    }
    Ok(())
}

fn secret<'a>(name: &str, secrets: &'a SecretSet) -> Result<&'a str, Failure> {
    let secret = secrets.get(name).ok_or_else(|| {
        let text = format!(
            "the connector declared no secret named `{}`",
            shortened(name)
        );
        Failure::denied(Rule::Secret, text)
    })?;
    Ok(secret.expose())
}

fn hash(digest: &Digest, from: Ingredients<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    macro_rules! hashed {
        ($hash:ty) => {{
            let mut made = match &digest.hmac_key {
                None => {
                    let mut hash = <$hash>::new();
                    for part in &digest.parts {
                        with_part(part, from, |bytes| hash.update(bytes))?;
                    }
                    hash.finalize()
                }
                Some(name) => {
                    let key = secret(name, from.secrets)?;
                    let mut mac = <Hmac<$hash> as hmac::KeyInit>::new_from_slice(key.as_bytes())
                        .map_err(|_| Failure::Other("the HMAC's key was refused".to_owned()))?;
                    for part in &digest.parts {
                        with_part(part, from, |bytes| mac.update(bytes))?;
                    }
                    mac.finalize().into_bytes()
                }
            };
            let copy = Zeroizing::new(made.to_vec());
            made.as_mut_slice().zeroize();
            copy
        }};
    }
    Ok(match digest.algorithm {
        Algorithm::Sha256 => hashed!(Sha256),
        Algorithm::Sha512 => hashed!(Sha512),
    })
}

/// Appends without leaving what was there behind in memory when the buffer grows.
fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    if buffer.capacity() - buffer.len() < bytes.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity((buffer.len() + bytes.len()) * 2));
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
    buffer.extend_from_slice(bytes);
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes as text. Its own few lines and not a crate's, so that nothing in between keeps a copy.
fn encode(bytes: &[u8], encoding: Encoding, value: &mut Zeroizing<Vec<u8>>) {
    let (alphabet, padded) = match encoding {
        Encoding::Hex => {
            for byte in bytes {
                append(
                    value,
                    &[byte >> 4, byte & 15].map(|digit| {
                        if digit < 10 {
                            b'0' + digit
                        } else {
                            b'a' + digit - 10
                        }
                    }),
                );
            }
            return;
        }
        Encoding::Base64 => (STANDARD, true),
        Encoding::Base64Url => (URL_SAFE, false),
    };
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .chain([&0; 3])
            .take(3)
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place) & 63) as usize;
            match alphabet.get(six) {
                Some(letter) if place <= group.len() => append(value, &[*letter]),
                _ if padded => append(value, b"="),
                _ => {}
            }
        }
    }
}
