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

/// The names of the secrets that a fill uses.
fn secrets_of(fill: &Fill) -> impl Iterator<Item = &str> {
    let parts = fill.parts().iter().filter_map(|part| match part {
        Part::Secret(name) => Some(name.as_str()),
        Part::Text(_) | Part::NowMs | Part::Nonce | Part::Body => None,
    });
    parts.chain(fill.hmac_key())
}

/// Takes out of an answer's headers those that speak of the connection and not of the answer (RFC 9110, 7.6.1).
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
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::super::request::{Algorithm, Digest, Encoding};
    use super::*;
    use crate::secrets::Secret;

    const PATH: &str = "/public_api/v1/things";

    struct World {
        origins: Vec<(String, Origin)>,
        calls: Vec<DeclaredCall>,
        secrets: SecretSet,
        limits: EgressLimits,
    }

    impl World {
        fn new() -> Self {
            let call = |name: &str, origin: &str, method, path: &str| DeclaredCall {
                name: name.to_owned(),
                origin: origin.to_owned(),
                method,
                path: path.to_owned(),
            };
            let origin = |host: &str| Origin::parse(host).unwrap();
            World {
                origins: vec![
                    ("api".to_owned(), origin("https://api.example.com")),
                    ("login".to_owned(), origin("https://login.example.com")),
                ],
                calls: vec![
                    call("things", "api", Method::POST, PATH),
                    call("health", "api", Method::GET, "/health"),
                    call("token", "login", Method::POST, "/token"),
                ],
                secrets: [("apiKey".to_owned(), Secret::new("test-key".to_owned()))]
                    .into_iter()
                    .collect(),
                limits: EgressLimits {
                    request_bytes: 100,
                    header_bytes: 200,
                    ..EgressLimits::default()
                },
            }
        }

        fn rule(&self, request: &OutgoingRequest) -> Result<String, Failure> {
            let declared = Declarations {
                origins: &self.origins,
                calls: &self.calls,
                secrets: &self.secrets,
                limits: &self.limits,
            };
            judge(request, declared).map(|judged| judged.call.name.clone())
        }
    }

    fn request() -> OutgoingRequest {
        OutgoingRequest {
            origin: "api".to_owned(),
            method: Method::POST,
            path: PATH.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::from_static(b"{}"),
            repeatable: true,
        }
    }

    fn with_header(name: &str, fills: Vec<Fill>) -> OutgoingRequest {
        OutgoingRequest {
            headers: vec![(name.to_owned(), fills)],
            ..request()
        }
    }

    fn text(text: &str) -> Vec<Fill> {
        vec![Fill::Part(Part::Text(text.to_owned()))]
    }

    fn secret(name: &str) -> Part {
        Part::Secret(name.to_owned())
    }

    fn digest(hmac_key: Option<&str>, parts: Vec<Part>) -> Vec<Fill> {
        let hmac_key = hmac_key.map(str::to_owned);
        vec![Fill::Digest(Digest {
            algorithm: Algorithm::Sha256,
            hmac_key,
            parts,
            encoding: Encoding::Hex,
        })]
    }

    #[track_caller]
    fn assert_denied(request: &OutgoingRequest, by: Rule) {
        match World::new().rule(request) {
            Err(Failure::Denied { rule, .. }) => assert_eq!(rule, by, "{request:?}"),
            other => panic!("{other:?} for {request:?}"),
        }
    }

    #[test]
    fn a_declared_call_passes() {
        assert_eq!(World::new().rule(&request()), Ok("things".to_owned()));
    }

    #[test]
    fn a_call_that_the_manifest_does_not_declare_is_refused() {
        assert_denied(
            &OutgoingRequest {
                path: "/public_api/v1/isolate".to_owned(),
                ..request()
            },
            Rule::Call,
        );
        assert_denied(
            &OutgoingRequest {
                method: Method::GET,
                ..request()
            },
            Rule::Call,
        );
        assert_denied(
            &OutgoingRequest {
                path: "/PUBLIC_API/v1/things".to_owned(),
                ..request()
            },
            Rule::Call,
        );
        assert_denied(
            &OutgoingRequest {
                path: format!("{PATH}/"),
                ..request()
            },
            Rule::Call,
        );
        // Declared, but at another origin.
        assert_denied(
            &OutgoingRequest {
                path: "/token".to_owned(),
                ..request()
            },
            Rule::Call,
        );
    }

    #[test]
    fn an_unknown_origin_is_refused() {
        for name in ["", "other", "https://evil.example", "api.example.com"] {
            assert_denied(
                &OutgoingRequest {
                    origin: name.to_owned(),
                    ..request()
                },
                Rule::Origin,
            );
        }
    }

    #[test]
    fn path_tricks_are_refused_before_the_calls_are_looked_at() {
        for path in [
            "",
            "things",
            "//evil.example/x",
            "/public_api//v1/things",
            "/public_api/./v1/things",
            "/public_api/v1/../v1/things",
            "/public_api/v1/things/..",
            "/public_api/v1/%74hings",
            "/public_api/v1/%2e%2e/things",
            "/public_api/v1/..%2fthings",
            "/public_api\\v1\\things",
            "/public_api/v1/things?x=1",
            "/public_api/v1/things#x",
            "/public_api/v1/thi ngs",
            "/public_api/v1/things\r\nHost: evil.example",
            "/public_api/v1/things\0",
            "/public_api/v1/th\u{ef}ngs",
            "https://evil.example/",
            "@evil.example/",
        ] {
            assert_denied(
                &OutgoingRequest {
                    path: path.to_owned(),
                    ..request()
                },
                Rule::Path,
            );
        }
    }

    #[test]
    fn headers_that_http_or_the_host_writes_are_refused() {
        for name in [
            "Host",
            "HOST",
            "content-length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Upgrade",
            "TE",
            "Trailer",
            "Expect",
            "Via",
            "Forwarded",
            "HTTP2-Settings",
            "Accept-Encoding",
            "Proxy-Authorization",
            "Proxy-Connection",
            "proxy-anything",
        ] {
            assert_denied(&with_header(name, text("x")), Rule::HeaderName);
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in [
            "",
            "x y",
            "x:y",
            "x\r\ny",
            "x\0",
            "\u{fc}ber",
            "x: y\r\nHost",
        ] {
            assert_denied(&with_header(name, text("x")), Rule::HeaderName);
        }
    }

    #[test]
    fn a_value_that_could_end_its_line_is_refused() {
        for value in [
            "a\r\nHost: evil.example",
            "a\nb",
            "a\rb",
            "a\0b",
            "a\tb",
            "a\u{7f}b",
            "\u{fc}ber",
        ] {
            assert_denied(&with_header("x-note", text(value)), Rule::HeaderValue);
            let hidden = vec![Fill::Base64(vec![Part::Text(value.to_owned())])];
            assert_denied(&with_header("x-note", hidden), Rule::HeaderValue);
        }
    }

    #[test]
    fn ordinary_headers_pass() {
        for (name, value) in [
            ("Content-Type", "application/json"),
            ("x-xdr-auth-id", "1"),
            ("Accept", "a, b;q=0.5"),
            ("User-Agent", "x/1"),
            ("X-Empty", ""),
        ] {
            assert!(
                World::new().rule(&with_header(name, text(value))).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn only_declared_secrets_can_be_used_wherever_they_stand() {
        assert!(
            World::new()
                .rule(&with_header(
                    "authorization",
                    vec![Fill::Part(secret("apiKey"))]
                ))
                .is_ok()
        );
        for fills in [
            vec![Fill::Part(secret("other"))],
            vec![Fill::Part(secret(""))],
            vec![Fill::Base64(vec![secret("other")])],
            digest(None, vec![secret("other"), Part::NowMs]),
            digest(Some("other"), vec![Part::NowMs]),
        ] {
            assert_denied(&with_header("authorization", fills), Rule::Secret);
        }
    }

    #[test]
    fn a_digest_of_a_secret_must_cover_something_that_varies() {
        let salt = || Part::Text("salt".to_owned());
        for (hmac_key, parts, passes) in [
            (None, vec![secret("apiKey")], false),
            (None, vec![secret("apiKey"), salt()], false),
            (None, vec![secret("apiKey"), secret("apiKey")], false),
            (Some("apiKey"), vec![], false),
            (Some("apiKey"), vec![salt()], false),
            (None, vec![secret("apiKey"), Part::NowMs], true),
            (None, vec![secret("apiKey"), Part::Nonce], true),
            (None, vec![secret("apiKey"), Part::Body], true),
            (Some("apiKey"), vec![Part::Body], true),
            (None, vec![salt()], true),
            (None, vec![Part::Body], true),
        ] {
            let request = with_header("authorization", digest(hmac_key, parts));
            if passes {
                assert!(World::new().rule(&request).is_ok(), "{request:?}");
            } else {
                assert_denied(&request, Rule::Digest);
            }
        }
    }

    #[test]
    fn an_empty_body_does_not_make_a_digest_vary() {
        let request = OutgoingRequest {
            body: Bytes::new(),
            ..with_header("authorization", digest(Some("apiKey"), vec![Part::Body]))
        };
        assert_denied(&request, Rule::Digest);
    }

    #[test]
    fn the_names_of_used_secrets_are_told() {
        let world = World::new();
        let request = with_header("authorization", digest(Some("apiKey"), vec![Part::Body]));
        let declared = Declarations {
            origins: &world.origins,
            calls: &world.calls,
            secrets: &world.secrets,
            limits: &world.limits,
        };
        let judged = judge(&request, declared).unwrap();
        assert_eq!(judged.secrets, BTreeSet::from(["apiKey"]));
    }

    #[test]
    fn too_long_a_body_or_query_is_refused_by_its_limit() {
        let body = |length| OutgoingRequest {
            body: Bytes::from(vec![b'x'; length]),
            ..request()
        };
        assert!(World::new().rule(&body(100)).is_ok());
        assert_eq!(
            World::new().rule(&body(101)),
            Err(Failure::Limit(Limit::RequestBytes))
        );
        let query = OutgoingRequest {
            query: vec![("q".to_owned(), "x".repeat(200))],
            ..request()
        };
        assert_eq!(
            World::new().rule(&query),
            Err(Failure::Limit(Limit::HeaderBytes))
        );
    }

    #[test]
    fn a_query_is_encoded_so_that_no_value_can_leave_its_place() {
        let pairs = [("a b", "c&d=e"), ("x", "\u{fc}/?#%"), ("plain-._~", "")];
        let pairs: Vec<_> = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(
            encode_query(&pairs),
            "a%20b=c%26d%3De&x=%C3%BC%2F%3F%23%25&plain-._~="
        );
    }

    #[test]
    fn headers_of_the_connection_are_taken_out_of_answers() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("proxy-authenticate", "Basic"),
            ("trailer", "x"),
            ("upgrade", "h2c"),
            ("date", "today"),
            ("retry-after", "5"),
        ] {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        strip_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["date", "retry-after"]);
    }

    proptest! {
        #[test]
        fn no_path_passes_that_a_url_parser_reads_as_another(path in "[/a-z.%\\\\;@: ?#*-]{0,12}") {
            if path_objection(&path).is_none() {
                let url = url::Url::parse(&format!("https://api.example.com{path}")).unwrap();
                prop_assert_eq!(url.path(), path);
                prop_assert_eq!(url.host_str(), Some("api.example.com"));
                prop_assert_eq!(url.query(), None);
            }
        }

        #[test]
        fn an_encoded_query_reads_back_as_itself(name in "\\PC{0,10}", value in "\\PC{0,10}") {
            let query = encode_query(&[(name.clone(), value.clone())]);
            let url = url::Url::parse(&format!("https://api.example.com/?{query}")).unwrap();
            let read: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            prop_assert_eq!(read, vec![(name, value)]);
        }
    }
}
