//! What arrives at the server.

use super::server::Answer;
use super::*;

fn signed() -> OutgoingRequest {
    let parts = vec![Part::Secret("apiKey".to_owned()), Part::Nonce, Part::NowMs];
    let digest = Digest {
        algorithm: Algorithm::Sha256,
        hmac_key: None,
        parts,
        encoding: Encoding::Hex,
    };
    let headers = vec![
        ("x-time".to_owned(), vec![Fill::Part(Part::NowMs)]),
        ("x-nonce".to_owned(), vec![Fill::Part(Part::Nonce)]),
        ("authorization".to_owned(), vec![Fill::Digest(digest)]),
    ];
    OutgoingRequest {
        headers,
        ..request()
    }
}

fn expected_signature(seen: &server::Seen) -> String {
    use sha2::Digest as _;
    let text = format!("{MARK}{}{}", seen.header("x-nonce"), seen.header("x-time"));
    sha2::Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_described() {
    let server = Server::start([Answer::status(200)]).await;
    let request = OutgoingRequest {
        query: vec![("q".to_owned(), "a b&c".to_owned())],
        headers: vec![
            ("Content-Type".to_owned(), vec![text("application/json")]),
            (
                "X-Key".to_owned(),
                vec![text("Key "), Fill::Part(Part::Secret("apiKey".to_owned()))],
            ),
        ],
        ..request()
    };
    let answer = egress(&server).send(request).await.unwrap();
    assert_eq!(answer.status, 200);
    let seen = &server.seen()[0];
    assert_eq!(seen.head[0], "POST /things?q=a%20b%26c HTTP/1.1");
    assert_eq!(seen.header("host"), format!("127.0.0.1:{}", server.port()));
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("x-key"), format!("Key {MARK}"));
    assert_eq!(seen.header("accept-encoding"), "gzip");
    assert_eq!(seen.header("content-length"), "2");
    assert_eq!(seen.body, b"{}");
}

#[tokio::test]
async fn each_attempt_is_signed_anew_with_one_time_and_nonce_for_all_its_headers() {
    let server = Server::start([Answer::status(503), Answer::status(200)]).await;
    egress(&server).send(signed()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for seen in &seen {
        assert_eq!(seen.header("authorization"), expected_signature(seen));
    }
    assert_ne!(seen[0].header("x-nonce"), seen[1].header("x-nonce"));
    assert_ne!(
        seen[0].header("authorization"),
        seen[1].header("authorization")
    );
}

#[tokio::test]
async fn what_the_policy_refuses_never_reaches_the_server() {
    let server = Server::start([Answer::status(200)]).await;
    let egress = egress(&server);
    let header = |name: &str, value: &str| OutgoingRequest {
        headers: vec![(name.to_owned(), vec![text(value)])],
        ..request()
    };
    for (request, rule) in [
        (
            header("x-note", "a\r\nHost: evil.example"),
            Rule::HeaderValue,
        ),
        (header("x-note\r\nHost", "evil.example"), Rule::HeaderName),
        (header("Host", "evil.example"), Rule::HeaderName),
        (header("Transfer-Encoding", "chunked"), Rule::HeaderName),
        (
            OutgoingRequest {
                path: "/things/../isolate".to_owned(),
                ..request()
            },
            Rule::Path,
        ),
        (
            OutgoingRequest {
                path: "/isolate".to_owned(),
                ..request()
            },
            Rule::Call,
        ),
        (
            OutgoingRequest {
                origin: "other".to_owned(),
                ..request()
            },
            Rule::Origin,
        ),
    ] {
        match egress.send(request).await {
            Err(Failure::Denied { rule: seen, .. }) => assert_eq!(seen, rule),
            other => panic!("{rule}: {other:?}"),
        }
    }
    // A request that passes proves that the server would have seen the others.
    egress.send(request()).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    let usage = egress.usage();
    assert_eq!(
        (
            usage.calls["list"].requests,
            usage.calls["list"].refused,
            usage.calls[""].refused
        ),
        (1, 4, 3)
    );
}

#[tokio::test]
async fn usage_tells_what_happened_and_which_secrets_were_used() {
    let server = Server::start([Answer::status(503), Answer::with(200, &[], b"0123456789")]).await;
    let egress = egress(&server);
    let answer = egress.send(signed()).await.unwrap();
    whole(answer.body).await.unwrap();
    let usage = egress.take_usage();
    let call = &usage.calls["list"];
    assert_eq!(
        (call.requests, call.attempts, call.retries, call.failures),
        (1, 2, 1, 0)
    );
    assert_eq!(
        call.statuses
            .iter()
            .map(|(status, n)| (*status, *n))
            .collect::<Vec<_>>(),
        [(200, 1), (503, 1)]
    );
    assert_eq!((call.bytes_sent, call.bytes_received), (4, 10));
    assert_eq!(usage.secrets.iter().collect::<Vec<_>>(), ["apiKey"]);
    assert_eq!(egress.usage(), Usage::default());
}
