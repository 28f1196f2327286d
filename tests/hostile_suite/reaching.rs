//! Where a component may go, seen from the inside: what it tries, and what it is told.
//!
//! A secret in a query, a path or a body needs no test: the contract's types have no place for one there.

use crate::bench::{Bench, KEY, mallory};
use cortex_xdr_simulator::{Options, Simulator};
use cross_crate_tests::loopback;
use host_runner::connection;
use hostile_connector::order::{Attack, Order};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ISOLATE: &str = "/public_api/v1/endpoints/isolate";

/// What the component told of each of its tries.
async fn tried(bench: &Bench, order: &Order) -> Vec<(String, String)> {
    let connected = bench.connect(&mallory(), order, true).await.unwrap();
    let tenant = mallory();
    let test = connection::test(&bench.desk, &tenant, &connected.name, bench.rate, &());
    let checks = test.await.unwrap().checks;
    checks
        .into_iter()
        .map(|check| (check.name, check.detail))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_ways_out_but_the_declared_ones_are_refused_with_the_rules_name() {
    let bench = Bench::new().await;
    let tries = tried(&bench, &bench.order(Attack::Reach)).await;
    assert!(tries.len() > 50, "{}", tries.len());
    for (name, met) in &tries {
        let expected: &[&str] = match name.split(' ').next().unwrap() {
            "allowed" => &["status 200"],
            "redirect" => &["status 302"],
            "isolate" | "method" => &["denied: call-not-declared"],
            "origin" => &["denied: origin-unknown"],
            "path" => &["denied: path", "denied: call-not-declared"],
            "header" => &["denied: header-name"],
            "value" => &["denied: header-value"],
            "secret" if name.contains("unknown") => &["denied: secret-not-declared"],
            "secret" => &["denied: digest-of-secret-alone"],
            other => panic!("{other}"),
        };
        assert!(
            expected.iter().any(|rule| met.starts_with(rule)),
            "{name} met {met}"
        );
    }
    // Only the two that are allowed came through, and the redirect led nowhere.
    let seen = bench.server.seen();
    let paths: Vec<&str> = seen
        .iter()
        .filter_map(|head| head.split(' ').nth(1))
        .collect();
    assert_eq!(paths, ["/small", "/redirect"]);
    assert!(seen.iter().all(|head| !head.contains(KEY)), "{seen:?}");
}

/// A hostile update of a connector whose connection holds an Admin key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_key_in_the_hands_of_a_hostile_update_can_not_isolate_an_endpoint() {
    let simulator = Simulator::start(Options::default(), loopback())
        .await
        .unwrap();
    let bench = Bench::new().await;
    let order = Order {
        base_url: simulator.url(),
        ..bench.order(Attack::Isolate)
    };
    let tries = tried(&bench, &order).await;
    assert!(
        tries[0].1.starts_with("denied: call-not-declared"),
        "{tries:?}"
    );
    assert_eq!(simulator.log().total(), 0);
    // The simulator has that call, and counts it.
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    let post = format!(
        "POST {ISOLATE} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(post.as_bytes()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(simulator.log().count(ISOLATE), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_configure_returns_is_held_against_the_manifest() {
    let bench = Bench::new().await;
    for (attack, what) in [
        (
            Attack::OriginUncovered,
            "(https://evil.example.com) is refused: no rule of the manifest covers it",
        ),
        (Attack::OriginUnknown, "the manifest names no such origin"),
        (
            Attack::SecretUnknown,
            "the secret `masterKey`, which its schema does not have",
        ),
        (
            Attack::StreamUnknown,
            "the data stream `users`, which its manifest does not have",
        ),
    ] {
        let connected = bench.connect(&mallory(), &bench.order(attack), false).await;
        let error = connected.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    // Nothing was sent, and no tenant was made.
    assert!(bench.server.seen().is_empty());
    assert!(bench.desk.stores.tenants().unwrap().is_empty());
}
