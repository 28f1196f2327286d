//! Requests that nobody allowed. What each met is told as a check, named after what was tried.

use crate::contract::http::{self, Failure, Method, Request};
use crate::contract::signing::{Algorithm, Digest, Encoding, Fill, Part};
use crate::contract::{Check, Verdict};
use crate::flooding::request;
use crate::order::Order;

/// The call of the vendor's API that takes an endpoint off the network; the manifest does not declare it.
const ISOLATE: &str = "/public_api/v1/endpoints/isolate";

async fn tried(name: &str, request: Request) -> Check {
    let met = match http::send(request).await {
        Ok(response) => format!("status {}", response.status),
        Err(Failure::Denied(rule)) => format!("denied: {rule}"),
        Err(failure) => format!("{failure:?}"),
    };
    Check {
        name: name.to_owned(),
        verdict: Verdict::Passed,
        detail: met,
        remedy: String::new(),
    }
}

fn header(name: &str, value: Vec<Fill>) -> Request {
    Request {
        headers: vec![(name.to_owned(), value)],
        ..request("/small")
    }
}

fn text(text: &str) -> Fill {
    Fill::Part(Part::Text(text.to_owned()))
}

fn secret(name: &str) -> Part {
    Part::Secret(name.to_owned())
}

fn digest(hmac_key: Option<&str>, parts: Vec<Part>) -> Vec<Fill> {
    vec![Fill::Digest(Digest {
        algorithm: Algorithm::Sha256,
        hmac_key: hmac_key.map(str::to_owned),
        parts,
        encoding: Encoding::Hex,
    })]
}

pub(crate) async fn isolate(_order: &Order) -> Check {
    let request = Request {
        method: Method::Post,
        headers: vec![(
            "authorization".to_owned(),
            vec![Fill::Part(secret("apiKey"))],
        )],
        body: br#"{"request_data": {"endpoint_id": "1"}}"#.to_vec(),
        ..request(ISOLATE)
    };
    tried("isolate", request).await
}

/// Every way out that is closed. No name of a check begins with "allowed" but that of the one request that is none of them.
pub(crate) async fn all(order: &Order) -> Vec<Check> {
    let mut checks = vec![
        isolate(order).await,
        tried("allowed", request("/small")).await,
    ];
    for origin in ["other", "", "API", "api ", "http://127.0.0.1"] {
        let elsewhere = Request {
            origin: origin.to_owned(),
            ..request("/small")
        };
        checks.push(tried(&format!("origin `{origin}`"), elsewhere).await);
    }
    let posted = Request {
        method: Method::Post,
        ..request("/small")
    };
    checks.push(tried("method of another call", posted).await);
    for path in [
        "//evil.example.com/small",
        "/small/../echo",
        "/./small",
        "/small/",
        "/%73mall",
        "/small%2f..%2fecho",
        "/%2e%2e/small",
        "/small?query=1",
        "/small#fragment",
        "/small\\..\\echo",
        "/small;x=1",
        "small",
        "@evil.example.com/small",
        ":80/small",
        "/small\r\nhost: evil.example.com",
        "",
    ] {
        checks.push(tried(&format!("path `{path}`"), request(path)).await);
    }
    for name in [
        "host",
        "Host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "proxy-authorization",
        "proxy-connection",
        "keep-alive",
        "accept-encoding",
        "via",
        "forwarded",
        "x: y\r\nhost",
        "a b",
        "",
    ] {
        let reserved = header(name, vec![text("1")]);
        checks.push(tried(&format!("header `{name}`"), reserved).await);
    }
    for value in [
        "a\r\nhost: evil.example.com",
        "a\nb",
        "a\0b",
        "\u{7f}",
        "\u{e9}",
    ] {
        let injected = header("x-note", vec![text(value)]);
        checks.push(tried(&format!("value {value:?}"), injected).await);
    }
    for (name, value) in [
        ("secret unknown", vec![Fill::Part(secret("masterKey"))]),
        (
            "secret unknown, encoded",
            vec![Fill::Base64(vec![secret("masterKey")])],
        ),
        (
            "secret unknown, as a key",
            digest(Some("masterKey"), vec![Part::NowMs]),
        ),
        ("secret hashed alone", digest(None, vec![secret("apiKey")])),
        (
            "secret hashed with what the connector chose",
            digest(None, vec![secret("apiKey"), Part::Text("salt".to_owned())]),
        ),
        (
            "secret as the key of nothing",
            digest(Some("apiKey"), vec![]),
        ),
        (
            "secret hashed with an empty body",
            digest(None, vec![secret("apiKey"), Part::Body]),
        ),
    ] {
        checks.push(tried(name, header("x-proof", value)).await);
    }
    checks.push(tried("redirect", request("/redirect")).await);
    checks
}
