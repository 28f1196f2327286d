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

#[test]
fn a_recipe_that_covers_the_body_over_and_over_is_refused_before_it_is_carried_out() {
    let of = |parts: Vec<Part>| {
        let digest = Fill::Digest(Digest {
            algorithm: Algorithm::Sha256,
            hmac_key: None,
            parts: parts.clone(),
            encoding: Encoding::Hex,
        });
        [digest, Fill::Base64(parts)]
    };
    let world = World::new();
    for fill in of(vec![Part::Body; 4]) {
        assert!(world.rule(&with_header("x-sum", vec![fill])).is_ok());
    }
    for part in [Part::Body, Part::NowMs, Part::Secret("apiKey".to_owned())] {
        for fill in of([vec![part; 1_000], vec![Part::Nonce]].concat()) {
            assert_eq!(
                world.rule(&with_header("x-sum", vec![fill])),
                Err(Failure::Limit(Limit::HeaderBytes))
            );
        }
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
        "/public_api/v1/things%00",
        "/public_api/v1/things%0d%0aHost:%20evil.example",
        "/public_api/v1/things%2f..%2fisolate",
        "/public_api/v1/..\\isolate",
        "/public_api/v1/%252e%252e/isolate",
        "/public_api/v1/things/.",
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
fn headers_that_make_another_request_of_it_are_refused() {
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Original-Host",
        "X-Rewrite-URL",
        "X-Forwarded-Host",
        "X-Forwarded-For",
        "x-forwarded-proto",
    ] {
        assert_denied(&with_header(name, text("DELETE")), Rule::HeaderName);
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
