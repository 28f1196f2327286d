//! The headers of a request, as recipes that the host carries out: neither the key nor a signature made with it ever
//! enters the component.

use crate::configure::SecurityLevel;
use crate::contract::signing::{Algorithm, Digest, Encoding, Fill, Part};
use http::HeaderName;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

/// The configuration's secret: the API key.
pub(super) const SECRET: &str = "apiKey";

const AUTH_ID: HeaderName = HeaderName::from_static("x-xdr-auth-id");
const NONCE: HeaderName = HeaderName::from_static("x-xdr-nonce");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-xdr-timestamp");

/// All headers of a call with a key of this level. An Advanced key signs SHA-256 over key, nonce and milliseconds,
/// plainly concatenated, as lower-case hex (the vendor's page "Get Started with Cortex XDR APIs"); a Standard key
/// stands in the header as it is.
pub(super) fn headers(level: SecurityLevel, key_id: &str) -> Vec<(HeaderName, Vec<Fill>)> {
    let mut headers = vec![
        (CONTENT_TYPE, text("application/json")),
        (AUTH_ID, text(key_id)),
    ];
    match level {
        SecurityLevel::Standard => {
            headers.push((AUTHORIZATION, vec![Fill::Part(Part::Secret(SECRET.into()))]));
        }
        SecurityLevel::Advanced => {
            headers.push((NONCE, vec![Fill::Part(Part::Nonce)]));
            headers.push((TIMESTAMP, vec![Fill::Part(Part::NowMs)]));
            headers.push((
                AUTHORIZATION,
                vec![Fill::Digest(Digest {
                    algorithm: Algorithm::Sha256,
                    hmac_key: None,
                    parts: vec![Part::Secret(SECRET.into()), Part::Nonce, Part::NowMs],
                    encoding: Encoding::Hex,
                })],
            ));
        }
    }
    headers
}

fn text(value: &str) -> Vec<Fill> {
    vec![Fill::Part(Part::Text(value.to_owned()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(level: SecurityLevel) -> Vec<String> {
        headers(level, "42")
            .iter()
            .map(|(name, _)| name.to_string())
            .collect()
    }

    #[test]
    fn an_advanced_key_signs_secret_then_nonce_then_time_in_hex() {
        let headers = headers(SecurityLevel::Advanced, "42");
        let Some((_, fills)) = headers.iter().find(|(name, _)| name == AUTHORIZATION) else {
            panic!("no authorization header");
        };
        let [Fill::Digest(digest)] = fills.as_slice() else {
            panic!("not one digest: {fills:?}");
        };
        assert!(matches!(digest.algorithm, Algorithm::Sha256));
        assert!(matches!(digest.encoding, Encoding::Hex));
        assert!(digest.hmac_key.is_none());
        assert!(matches!(
            digest.parts.as_slice(),
            [Part::Secret(name), Part::Nonce, Part::NowMs] if name == "apiKey"
        ));
        assert_eq!(
            names(SecurityLevel::Advanced),
            [
                "content-type",
                "x-xdr-auth-id",
                "x-xdr-nonce",
                "x-xdr-timestamp",
                "authorization"
            ]
        );
    }

    #[test]
    fn a_standard_key_stands_in_the_header_bare_and_sends_no_nonce() {
        let headers = headers(SecurityLevel::Standard, "42");
        assert!(headers.iter().any(|(name, fills)| name == AUTHORIZATION
            && matches!(fills.as_slice(), [Fill::Part(Part::Secret(secret))] if secret == "apiKey")));
        assert_eq!(
            names(SecurityLevel::Standard),
            ["content-type", "x-xdr-auth-id", "authorization"]
        );
    }
}
