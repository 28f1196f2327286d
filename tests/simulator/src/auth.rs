//! Whether a request proves that it knows the API key.

use http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::options::SecurityLevel;

/// What is compared against.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub id: String,
    pub key: String,
    pub level: SecurityLevel,
    /// How far a signature's time may be from now, in milliseconds.
    pub tolerance_ms: i64,
}

impl Credentials {
    /// Whether the headers of a request are right at `now` (epoch milliseconds of the tenant's clock).
    pub fn accept(&self, headers: &HeaderMap, now: i64) -> bool {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if header("x-xdr-auth-id") != Some(&self.id) {
            return false;
        }
        let Some(authorization) = header("authorization") else {
            return false;
        };
        match self.level {
            SecurityLevel::Standard => authorization == self.key,
            SecurityLevel::Advanced => {
                let (Some(nonce), Some(timestamp)) =
                    (header("x-xdr-nonce"), header("x-xdr-timestamp"))
                else {
                    return false;
                };
                let Ok(time) = timestamp.parse::<i64>() else {
                    return false;
                };
                now.abs_diff(time) <= self.tolerance_ms.unsigned_abs()
                    && authorization == signature(&self.key, nonce, timestamp)
            }
        }
    }
}

/// Lower-case hexadecimal SHA-256 of key, nonce and timestamp put together.
fn signature(key: &str, nonce: &str, timestamp: &str) -> String {
    let mut hash = Sha256::new();
    for part in [key, nonce, timestamp] {
        hash.update(part.as_bytes());
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_750_000_000_000;

    fn credentials(level: SecurityLevel) -> Credentials {
        Credentials {
            id: "7".into(),
            key: "test-key".into(),
            level,
            tolerance_ms: 900_000,
        }
    }

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn advanced(key: &str, time: i64) -> HeaderMap {
        headers(&[
            ("x-xdr-auth-id", "7".into()),
            ("x-xdr-nonce", "n".repeat(64)),
            ("x-xdr-timestamp", time.to_string()),
            (
                "authorization",
                signature(key, &"n".repeat(64), &time.to_string()),
            ),
        ])
    }

    #[test]
    fn a_known_signature_comes_out() {
        // printf 'abc' | sha256sum
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(signature("a", "b", "c"), known);
    }

    #[test]
    fn an_advanced_key_needs_a_right_and_recent_signature() {
        let tenant = credentials(SecurityLevel::Advanced);
        assert!(tenant.accept(&advanced("test-key", NOW), NOW));
        assert!(tenant.accept(&advanced("test-key", NOW - 900_000), NOW));
        assert!(!tenant.accept(&advanced("test-key", NOW - 900_001), NOW));
        assert!(!tenant.accept(&advanced("test-key", NOW + 900_001), NOW));
        assert!(!tenant.accept(&advanced("other-key", NOW), NOW));
        let mut without_nonce = advanced("test-key", NOW);
        without_nonce.remove("x-xdr-nonce");
        assert!(!tenant.accept(&without_nonce, NOW));
    }

    #[test]
    fn the_wrong_level_or_id_is_refused() {
        let raw = headers(&[
            ("x-xdr-auth-id", "7".into()),
            ("authorization", "test-key".into()),
        ]);
        assert!(credentials(SecurityLevel::Standard).accept(&raw, NOW));
        assert!(!credentials(SecurityLevel::Advanced).accept(&raw, NOW));
        assert!(!credentials(SecurityLevel::Standard).accept(&advanced("test-key", NOW), NOW));
        let other = headers(&[
            ("x-xdr-auth-id", "8".into()),
            ("authorization", "test-key".into()),
        ]);
        assert!(!credentials(SecurityLevel::Standard).accept(&other, NOW));
        assert!(!credentials(SecurityLevel::Standard).accept(&HeaderMap::new(), NOW));
    }
}
