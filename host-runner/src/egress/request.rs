//! What a connector asks to have sent. Pure data: nothing here has been judged yet.

use bytes::Bytes;
use http::Method;

/// A piece of a header's value; mirrors `signing.part` of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it stands; visible ASCII and spaces only.
    Text(String),
    /// The value of the named secret.
    Secret(String),
    /// Milliseconds since the epoch, decimal; the same in all headers of one attempt.
    NowMs,
    /// 64 random letters and digits; the same in all headers of one attempt.
    Nonce,
    /// The request's body.
    Body,
}

/// The hash function of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a digest's bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal.
    Hex,
    /// Base64 with padding.
    Base64,
    /// URL-safe Base64 without padding.
    Base64Url,
}

/// A hash over parts; an HMAC where a key is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The hash function.
    pub algorithm: Algorithm,
    /// The name of the secret that keys an HMAC; a plain hash where none is named.
    pub hmac_key: Option<String>,
    /// What is hashed, concatenated.
    pub parts: Vec<Part>,
    /// How the result is written.
    pub encoding: Encoding,
}

/// What a header's value is made of; its fills are concatenated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fill {
    /// One part, as it is.
    Part(Part),
    /// The parts, concatenated and Base64-encoded (for HTTP Basic).
    Base64(Vec<Part>),
    /// A hash over parts.
    Digest(Digest),
}

impl Fill {
    /// Every part that the fill names, the parts of a digest included.
    pub fn parts(&self) -> &[Part] {
        match self {
            Fill::Part(part) => std::slice::from_ref(part),
            Fill::Base64(parts) => parts,
            Fill::Digest(digest) => &digest.parts,
        }
    }

    /// The name of the secret that keys the fill's HMAC, where there is one.
    pub fn hmac_key(&self) -> Option<&str> {
        match self {
            Fill::Digest(digest) => digest.hmac_key.as_deref(),
            Fill::Part(_) | Fill::Base64(_) => None,
        }
    }
}

/// One request as the connector describes it.
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// The name of one of the connection's origins.
    pub origin: String,
    /// The method; a call of the manifest must declare it.
    pub method: Method,
    /// Path below the origin, beginning with "/", without query.
    pub path: String,
    /// Names and values, not yet percent-encoded.
    pub query: Vec<(String, String)>,
    /// Name and recipe of each header.
    pub headers: Vec<(String, Vec<Fill>)>,
    /// The body, sent as it is.
    pub body: Bytes,
    /// Whether sending it twice does no harm.
    pub repeatable: bool,
}
