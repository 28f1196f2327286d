//! Egress over real sockets on loopback, against servers that answer whatever a test wants.

mod bodies;
mod headers;
mod limits;
mod places;
mod pools;
mod proxy;
mod retries;
mod server;
mod taint;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::*;
use crate::secrets::{Secret, SecretSet};
use server::Server;

const PATH: &str = "/things";

/// A secret that is easy to find wherever it does not belong.
const MARK: &str = "test-key-with-a-mark";

fn secrets() -> Arc<SecretSet> {
    Arc::new(
        [("apiKey".to_owned(), Secret::new(MARK.to_owned()))]
            .into_iter()
            .collect(),
    )
}

/// A connection to one origin with two calls, unpaced, that waits hardly at all.
fn config(origin: &str) -> EgressConfig {
    let call = |name: &str, method| DeclaredCall {
        name: name.to_owned(),
        origin: "api".to_owned(),
        method,
        path: PATH.to_owned(),
    };
    let mut config = EgressConfig::new(
        vec![("api".to_owned(), Origin::parse(origin).unwrap())],
        vec![call("list", Method::POST), call("get", Method::GET)],
        Vec::new(),
        secrets(),
    );
    config.allow_loopback = true;
    config.limits.longest_wait = Duration::from_millis(2);
    // A test that would hang fails instead.
    config.limits.idle_timeout = Duration::from_secs(20);
    config.limits.attempt_timeout = Duration::from_secs(20);
    config
}

fn egress(server: &Server) -> Egress {
    Egress::new(config(&server.origin())).unwrap()
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

fn text(text: &str) -> Fill {
    Fill::Part(Part::Text(text.to_owned()))
}

/// Fails the test unless the request broke this rule.
fn expect_denied<T: std::fmt::Debug>(outcome: Result<T, Failure>, expected: Rule) {
    match outcome {
        Err(Failure::Denied { rule, .. }) => assert_eq!(rule, expected),
        other => panic!("{other:?}"),
    }
}

async fn whole(mut body: IncomingBody) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    loop {
        let bytes = body.read(1 << 20).await?;
        if bytes.is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(&bytes);
    }
}
