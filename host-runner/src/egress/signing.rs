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

/// Base64 with padding, in memory that is wiped.
pub(super) fn base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut value = Zeroizing::new(Vec::new());
    encode(bytes, Encoding::Base64, &mut value);
    value
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes as text. Its own few lines and not a crate's, so that nothing in between keeps a copy.
pub(super) fn encode(bytes: &[u8], encoding: Encoding, value: &mut Zeroizing<Vec<u8>>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;

    const NONCE: &str = "nonce-of-the-test";

    fn fill(fills: Vec<Fill>) -> Result<HeaderValue, Failure> {
        fill_within(fills, 1 << 10)
    }

    fn fill_within(fills: Vec<Fill>, header_bytes: u64) -> Result<HeaderValue, Failure> {
        let secrets: SecretSet = [
            ("apiKey".to_owned(), Secret::new("test-key".to_owned())),
            ("odd".to_owned(), Secret::new("two\nlines".to_owned())),
        ]
        .into_iter()
        .collect();
        let attempt = Attempt {
            now_ms: 1_700_000_000_000,
            nonce: NONCE.to_owned(),
        };
        let from = Ingredients {
            attempt: &attempt,
            body: b"{}",
            secrets: &secrets,
            header_bytes,
        };
        let name = HeaderName::from_static("authorization");
        let mut headers = fill_headers(&[(name, fills.as_slice())], from)?;
        Ok(headers.remove("authorization").unwrap())
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn secret(name: &str) -> Part {
        Part::Secret(name.to_owned())
    }

    fn digest(
        algorithm: Algorithm,
        hmac_key: Option<&str>,
        parts: Vec<Part>,
        encoding: Encoding,
    ) -> Fill {
        Fill::Digest(Digest {
            algorithm,
            hmac_key: hmac_key.map(str::to_owned),
            parts,
            encoding,
        })
    }

    #[test]
    fn fills_are_concatenated_in_order() {
        let value = fill(vec![
            Fill::Part(text("Key ")),
            Fill::Part(secret("apiKey")),
            Fill::Part(text(";")),
            Fill::Part(Part::NowMs),
            Fill::Part(text(";")),
            Fill::Part(Part::Nonce),
            Fill::Part(Part::Body),
        ]);
        assert_eq!(
            value.unwrap(),
            format!("Key test-key;1700000000000;{NONCE}{{}}")
        );
    }

    #[test]
    fn basic_authentication_comes_out_as_the_rfc_writes_it() {
        let value = fill(vec![
            Fill::Part(text("Basic ")),
            Fill::Base64(vec![text("Aladdin:"), text("open sesame")]),
        ]);
        assert_eq!(value.unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn base64_agrees_with_the_rfcs_examples() {
        for (plain, standard) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut value = Zeroizing::new(Vec::new());
            encode(plain.as_bytes(), Encoding::Base64, &mut value);
            assert_eq!(&**value, standard.as_bytes());
            let mut value = Zeroizing::new(Vec::new());
            encode(plain.as_bytes(), Encoding::Base64Url, &mut value);
            assert_eq!(&**value, standard.trim_end_matches('=').as_bytes());
        }
        let mut value = Zeroizing::new(Vec::new());
        encode(&[0xfb, 0xff, 0xfe], Encoding::Base64, &mut value);
        encode(&[0xfb, 0xff, 0xfe], Encoding::Base64Url, &mut value);
        encode(&[0x00, 0x9f, 0xff], Encoding::Hex, &mut value);
        assert_eq!(&**value, b"+//+-__-009fff");
    }

    #[test]
    fn a_plain_digest_is_the_hash_of_the_concatenated_parts() {
        // FIPS 180's example "abc", cut in two.
        let value = fill(vec![digest(
            Algorithm::Sha256,
            None,
            vec![text("a"), text("bc")],
            Encoding::Hex,
        )])
        .unwrap();
        assert_eq!(
            value,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let value = fill(vec![digest(
            Algorithm::Sha512,
            None,
            vec![text("abc")],
            Encoding::Hex,
        )])
        .unwrap();
        assert!(
            value
                .to_str()
                .unwrap()
                .starts_with("ddaf35a193617abacc417349ae204131")
        );
    }

    #[test]
    fn a_keyed_digest_is_an_hmac() {
        let parts = vec![text("The quick brown fox jumps over the lazy dog")];
        let value = {
            let secrets: SecretSet = [("k".to_owned(), Secret::new("key".to_owned()))]
                .into_iter()
                .collect();
            let attempt = Attempt::now();
            let from = Ingredients {
                attempt: &attempt,
                body: b"",
                secrets: &secrets,
                header_bytes: 1 << 10,
            };
            let fills = [digest(Algorithm::Sha256, Some("k"), parts, Encoding::Hex)];
            fill_headers(
                &[(HeaderName::from_static("x-signature"), &fills[..])],
                from,
            )
            .unwrap()
        };
        assert_eq!(
            value["x-signature"],
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
        assert!(value["x-signature"].is_sensitive());
    }

    #[test]
    fn a_digest_covers_the_very_time_and_nonce_that_other_headers_carry() {
        let parts = vec![secret("apiKey"), Part::Nonce, Part::NowMs];
        let made = fill(vec![digest(Algorithm::Sha256, None, parts, Encoding::Hex)]).unwrap();
        let by_hand = vec![text("test-key"), text(NONCE), text("1700000000000")];
        let expected = fill(vec![digest(
            Algorithm::Sha256,
            None,
            by_hand,
            Encoding::Hex,
        )])
        .unwrap();
        assert_eq!(made, expected);
    }

    #[test]
    fn what_holds_a_secret_or_is_made_with_one_is_marked_sensitive() {
        for (fills, sensitive) in [
            (vec![Fill::Part(text("x"))], false),
            (vec![Fill::Part(Part::Nonce)], false),
            (vec![Fill::Part(secret("apiKey"))], true),
            (
                vec![Fill::Part(text("x")), Fill::Base64(vec![secret("apiKey")])],
                true,
            ),
            (
                vec![digest(
                    Algorithm::Sha256,
                    None,
                    vec![secret("apiKey"), Part::Nonce],
                    Encoding::Hex,
                )],
                true,
            ),
            (
                vec![digest(
                    Algorithm::Sha256,
                    Some("apiKey"),
                    vec![Part::Nonce],
                    Encoding::Hex,
                )],
                true,
            ),
        ] {
            let value = fill(fills).unwrap();
            assert_eq!(value.is_sensitive(), sensitive);
            assert!(!format!("{value:?}").contains("test-key"));
        }
    }

    #[test]
    fn a_secret_that_would_end_its_line_is_refused_without_being_told() {
        let failure = fill(vec![Fill::Part(secret("odd"))]).unwrap_err();
        assert!(
            matches!(
                failure,
                Failure::Denied {
                    rule: Rule::HeaderValue,
                    ..
                }
            ),
            "{failure:?}"
        );
        assert!(!format!("{failure:?} {failure}").contains("lines"));
    }

    #[test]
    fn headers_beyond_the_limit_are_refused() {
        let value = || vec![Fill::Part(text("0123456789"))];
        // "authorization: 0123456789" and the line's end.
        assert!(fill_within(value(), 27).is_ok());
        assert_eq!(
            fill_within(value(), 26),
            Err(Failure::Limit(Limit::HeaderBytes))
        );
    }

    #[test]
    fn each_attempt_has_a_nonce_of_its_own_of_64_letters_and_digits() {
        let (one, other) = (Attempt::now(), Attempt::now());
        assert_ne!(one.nonce, other.nonce);
        assert_eq!(one.nonce.len(), 64);
        assert!(one.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
