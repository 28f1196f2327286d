//! What a request may be: pure functions of the request and the connection's declarations.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, Method};

use super::origin::shortened;
use super::request::{Fill, OutgoingRequest, Part};
use super::{DeclaredCall, EgressLimits, Failure, Limit, Origin, Rule};
use crate::secrets::SecretSet;

/// What a connection's requests are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Declarations<'a> {
    /// Name and origin.
    pub origins: &'a [(String, Origin)],
    /// The manifest's calls.
    pub calls: &'a [DeclaredCall],
    /// The declared secrets.
    pub secrets: &'a SecretSet,
    /// What one exchange may cost.
    pub limits: &'a EgressLimits,
}

/// A request that may be sent.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The call that covers it.
    pub call: &'a DeclaredCall,
    /// Where it goes.
    pub origin: &'a Origin,
    /// Its headers, their names checked.
    pub headers: Vec<(HeaderName, &'a [Fill])>,
    /// The names of the secrets that its headers use.
    pub secrets: BTreeSet<&'a str>,
}

/// Judges a request by all the rules. What it refuses has not been sent.
pub fn judge<'a>(
    request: &'a OutgoingRequest,
    declared: Declarations<'a>,
) -> Result<Judged<'a>, Failure> {
    let origin = declared
        .origins
        .iter()
        .find_map(|(name, origin)| (*name == request.origin).then_some(origin))
        .ok_or_else(|| {
            let text = format!(
                "this connection has no origin named `{}`",
                shortened(&request.origin)
            );
            Failure::denied(Rule::Origin, text)
        })?;
    if let Some(reason) = path_objection(&request.path) {
        let text = format!("the path `{}` {reason}", shortened(&request.path));
        return Err(Failure::denied(Rule::Path, text));
    }
    let call = find_call(
        declared.calls,
        &request.origin,
        &request.method,
        &request.path,
    )
    .ok_or_else(|| {
        let text = format!(
            "the manifest declares no call {} {} at the origin `{}`",
            request.method,
            shortened(&request.path),
            shortened(&request.origin)
        );
        Failure::denied(Rule::Call, text)
    })?;
    if request.body.len() as u64 > declared.limits.request_bytes {
        return Err(Failure::Limit(Limit::RequestBytes));
    }
    let mut headers = Vec::with_capacity(request.headers.len());
    let mut secrets = BTreeSet::new();
    for (name, fills) in &request.headers {
        headers.push((header_name(name)?, fills.as_slice()));
        for fill in fills {
            judge_fill(name, fill, !request.body.is_empty(), declared.secrets)?;
            secrets.extend(secrets_of(fill));
        }
    }
    if covered(request) > covers_at_most(request, declared.limits) {
        return Err(Failure::Limit(Limit::HeaderBytes));
    }
    // The line of the request counts too: a query can be as long as a header.
    let query: usize = request
        .query
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    if (request.path.len() + query) as u64 > declared.limits.header_bytes {
        return Err(Failure::Limit(Limit::HeaderBytes));
    }
    Ok(Judged {
        call,
        origin,
        headers,
        secrets,
    })
}

/// The call that declares exactly this method and path.
pub fn find_call<'a>(
    calls: &'a [DeclaredCall],
    origin: &str,
    method: &Method,
    path: &str,
) -> Option<&'a DeclaredCall> {
    calls
        .iter()
        .find(|call| call.origin == origin && call.method == *method && call.path == path)
}

/// Why a path can't be sent: it could be read as another one by the server, or something before it.
pub fn path_objection(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("does not begin with a slash");
    }
    if path.contains("//") {
        return Some("holds an empty segment");
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Some("holds a segment that means another folder");
    }
    // An encoded letter would match no declared path and still mean one; so would a backslash to some servers.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    if !path.bytes().all(allowed) {
        return Some("holds a character that a path may not hold unencoded, or an encoded one");
    }
    None
}

/// Headers by which some servers, and what stands before them, take a request for another one: another method, path or host than the manifest
/// declares, another sender. What begins with one of these is refused.
const RETELLING: &[&str] = &[
    "x-forwarded-",
    "x-http-method",
    "x-method-override",
    "x-original-",
    "x-rewrite-",
];

/// Headers that HTTP or the host writes. What begins with `proxy-` is reserved as well.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Reads a header's name and refuses the reserved ones.
pub fn header_name(name: &str) -> Result<HeaderName, Failure> {
    let denied = |reason| {
        let text = format!("the header `{}` {reason}", shortened(name));
        Failure::denied(Rule::HeaderName, text)
    };
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| denied("has a name that HTTP does not allow"))?;
    if RESERVED.contains(&parsed.as_str()) || parsed.as_str().starts_with("proxy-") {
        return Err(denied("is written by the host, or by HTTP itself"));
    }
    if RETELLING
        .iter()
        .any(|start| parsed.as_str().starts_with(start))
    {
        return Err(denied(
            "could have the server take the request for another one",
        ));
    }
    Ok(parsed)
}

/// Judges one fill of a header: its text, its secrets, what its digest covers.
fn judge_fill(
    header: &str,
    fill: &Fill,
    has_body: bool,
    secrets: &SecretSet,
) -> Result<(), Failure> {
    for part in fill.parts() {
        if let Part::Text(text) = part
            && !text
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            let text = format!(
                "the header `{}` holds more than visible ASCII and spaces",
                shortened(header)
            );
            return Err(Failure::denied(Rule::HeaderValue, text));
        }
    }
    let mut covers_secret = false;
    for name in secrets_of(fill) {
        covers_secret = true;
        if secrets.get(name).is_none() {
            let text = format!(
                "the connector declared no secret named `{}`",
                shortened(name)
            );
            return Err(Failure::denied(Rule::Secret, text));
        }
    }
    let varies = |part: &Part| match part {
        Part::NowMs | Part::Nonce => true,
        Part::Body => has_body,
        Part::Text(_) | Part::Secret(_) => false,
    };
    if matches!(fill, Fill::Digest(_)) && covers_secret && !fill.parts().iter().any(varies) {
        let text = format!(
            "the digest in the header `{}` covers a secret, so it must also cover the time, a nonce or a body that is not empty",
            shortened(header)
        );
        return Err(Failure::denied(Rule::Digest, text));
    }
    Ok(())
}

/// How often the headers of one request may cover its body.
const BODY_COVERED: u64 = 8;

/// What the recipes of all headers may cover. A body costs the connector its bytes once; named a million times in one digest it would cost the host a
/// million times as many, and in a Base64 fill as much memory.
fn covers_at_most(request: &OutgoingRequest, limits: &EgressLimits) -> u64 {
    let body = request.body.len() as u64;
    limits
        .header_bytes
        .saturating_add(body.saturating_mul(BODY_COVERED))
}

/// The bytes that the recipes of all headers cover. Each part counts for a little more than it has, secrets for what they have at most as a rule: their
/// length is nobody's business.
fn covered(request: &OutgoingRequest) -> u64 {
    const EACH: u64 = 8;
    let fills = request.headers.iter().flat_map(|(_, fills)| fills);
    let parts = fills.flat_map(|fill| fill.parts());
    parts
        .map(|part| match part {
            Part::Text(text) => text.len() as u64 + EACH,
            Part::Secret(_) | Part::Nonce => 64 + EACH,
            Part::NowMs => 13 + EACH,
            Part::Body => request.body.len() as u64 + EACH,
        })
        .fold(0, u64::saturating_add)
}

/// The names of the secrets that a fill uses.
fn secrets_of(fill: &Fill) -> impl Iterator<Item = &str> {
    let parts = fill.parts().iter().filter_map(|part| match part {
        Part::Secret(name) => Some(name.as_str()),
        Part::Text(_) | Part::NowMs | Part::Nonce | Part::Body => None,
    });
    parts.chain(fill.hmac_key())
}

/// Takes out of an answer's headers those that speak of the connection and not of the answer (RFC 9110, 7.6.1), and cookies: what a server
/// gives to whoever showed the key is as good as the key. The host keeps none either.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-connection",
        "set-cookie",
        "set-cookie2",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ] {
        headers.remove(name);
    }
}

/// The bytes that header lines take.
pub fn header_bytes(headers: &HeaderMap) -> u64 {
    // ": " and the line's end are four bytes.
    headers
        .iter()
        .map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64)
        .sum()
}

/// Names and values as a query, percent-encoded but for what RFC 3986 calls unreserved.
pub fn encode_query(pairs: &[(String, String)]) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        percent_encode(name, &mut query);
        query.push('=');
        percent_encode(value, &mut query);
    }
    query
}

fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests;
