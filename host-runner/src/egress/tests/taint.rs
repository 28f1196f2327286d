//! A marked secret, and everything that could print it.

use super::policy::{Declarations, judge};
use super::server::Answer;
use super::signing::{Attempt, Ingredients, fill_headers};
use super::*;

/// The mark in the forms in which it could get out.
fn assert_clean(what: &str, printed: &str) {
    // The mark, its Base64, its SHA-256.
    for trace in [MARK, "dGVzdC1rZXktd2l0aC1hLW1hcms", &hex(&sha(MARK))] {
        assert!(!printed.contains(trace), "{what}: {printed}");
    }
}

fn sha(text: &str) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn with_secrets() -> OutgoingRequest {
    let secret = || Part::Secret("apiKey".to_owned());
    let digest = |hmac_key: Option<&str>, parts| {
        let hmac_key = hmac_key.map(str::to_owned);
        Fill::Digest(Digest {
            algorithm: Algorithm::Sha256,
            hmac_key,
            parts,
            encoding: Encoding::Hex,
        })
    };
    let headers = vec![
        ("authorization".to_owned(), vec![Fill::Part(secret())]),
        ("x-basic".to_owned(), vec![Fill::Base64(vec![secret()])]),
        (
            "x-digest".to_owned(),
            vec![digest(None, vec![secret(), Part::Nonce])],
        ),
        (
            "x-hmac".to_owned(),
            vec![digest(Some("apiKey"), vec![Part::NowMs])],
        ),
    ];
    OutgoingRequest {
        headers,
        ..request()
    }
}

#[tokio::test]
async fn no_type_of_egress_prints_a_secret_or_what_is_made_of_one() {
    let server = Server::start([Answer::with(200, &[], b"hello")]).await;
    let egress = egress(&server);
    let request = with_secrets();
    let answer = egress.send(request.clone()).await.unwrap();
    let seen = server.seen();
    assert_eq!(
        seen[0].header("authorization"),
        MARK,
        "the test would prove nothing"
    );

    let config = config(&server.origin());
    let declared = Declarations {
        origins: &config.origins,
        calls: &config.calls,
        secrets: &config.secrets,
        limits: &config.limits,
    };
    let judged = judge(&request, declared).unwrap();
    let attempt = Attempt::now();
    let ingredients = Ingredients {
        attempt: &attempt,
        body: &request.body,
        secrets: &config.secrets,
        header_bytes: config.limits.header_bytes,
    };
    let filled = fill_headers(&judged.headers, ingredients).unwrap();
    let signatures: Vec<_> = ["x-digest", "x-hmac"]
        .iter()
        .flat_map(|name| {
            [
                seen[0].header(name).to_owned(),
                filled[*name].to_str().unwrap().to_owned(),
            ]
        })
        .collect();
    for (what, printed) in [
        ("Egress", format!("{egress:?} {egress:#?}")),
        ("EgressConfig", format!("{config:?}")),
        ("Incoming", format!("{answer:?}")),
        (
            "Usage",
            format!(
                "{:?} {}",
                egress.usage(),
                serde_json::to_string(&egress.usage()).unwrap()
            ),
        ),
        ("OutgoingRequest", format!("{request:?}")),
        ("Judged", format!("{judged:?} {declared:?}")),
        ("Ingredients", format!("{ingredients:?}")),
        ("filled headers", format!("{filled:?}")),
    ] {
        assert_clean(what, &printed);
        for signature in &signatures {
            assert!(!printed.contains(signature.as_str()), "{what}: {printed}");
        }
    }
}

#[tokio::test]
async fn no_failure_tells_a_secret_or_what_is_made_of_one() {
    for answer in [Answer::HangUp, Answer::Bytes(b"no HTTP".to_vec())] {
        let server = Server::start([answer]).await;
        let failure = egress(&server).send(with_secrets()).await.unwrap_err();
        let printed = format!("{failure} {failure:?}");
        assert_clean("Failure", &printed);
        for seen in server.seen() {
            assert!(
                !printed.contains(seen.header("x-digest"))
                    && !printed.contains(seen.header("x-hmac")),
                "{printed}"
            );
        }
    }
    let odd: SecretSet = [("apiKey".to_owned(), Secret::new(format!("{MARK}\u{7}")))]
        .into_iter()
        .collect();
    let mut config = config("http://127.0.0.1:1");
    config.secrets = Arc::new(odd);
    let failure = Egress::new(config)
        .unwrap()
        .send(with_secrets())
        .await
        .unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::Denied {
                rule: Rule::HeaderValue,
                ..
            }
        ),
        "{failure}"
    );
    assert_clean("Failure", &format!("{failure} {failure:?}"));
}
