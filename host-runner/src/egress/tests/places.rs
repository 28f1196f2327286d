//! Where connections go: addresses, names that lead there, and what a configuration may say.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;

use super::resolve::Resolving;
use super::server::Answer;
use super::*;

/// A resolver that gives one list of addresses after the other, the last again and again, and counts.
pub(super) struct Names {
    script: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub(super) fn new(script: &[&[&str]]) -> Arc<Self> {
        let read = |list: &&[&str]| {
            list.iter()
                .map(|address| address.parse().unwrap())
                .collect()
        };
        Arc::new(Names {
            script: Mutex::new(script.iter().map(read).collect()),
            asked: Mutex::default(),
        })
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut script = self.script.lock().unwrap();
        let next = if script.len() > 1 {
            script.pop_front()
        } else {
            script.front().cloned()
        };
        Box::pin(async move { next.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn named(host: &str, server: &Server, names: &Arc<Names>) -> Egress {
    let mut config = config(&format!("http://{host}:{}", server.port()));
    config.resolver = names.clone();
    Egress::new(config).unwrap()
}

fn over_tls(names: &Arc<Names>, allow_loopback: bool, port: u16) -> Egress {
    let mut config = config(&format!("https://api.example.com:{port}"));
    config.resolver = names.clone();
    config.allow_loopback = allow_loopback;
    // So that the machine's own authorities, which may be none, play no part.
    config.extra_roots = vec![tls::authority("other").certificate.der().to_vec()];
    Egress::new(config).unwrap()
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_refused_and_nothing_is_sent() {
    for address in [
        "10.0.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "fd00::1",
        "fe80::1",
        "0.0.0.0",
        "::",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b:1::1",
    ] {
        let outcome = over_tls(&Names::new(&[&[address]]), true, 443)
            .send(request())
            .await;
        match outcome {
            Err(Failure::Denied {
                rule: Rule::Address,
                text,
            }) => assert!(text.contains("api.example.com"), "{text}"),
            other => panic!("{address}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_needs_the_flag() {
    let server = Server::start([Answer::status(200)]).await;
    for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
        let outcome = over_tls(&Names::new(&[&[address]]), false, server.port())
            .send(request())
            .await;
        expect_denied(outcome, Rule::Address);
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_connected_to() {
    let server = Server::start([Answer::status(200)]).await;
    let names = Names::new(&[&["10.0.0.1", "127.0.0.1", "169.254.169.254"]]);
    let answer = named("xdr.localhost", &server, &names)
        .send(request())
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        server.seen()[0].header("host"),
        format!("xdr.localhost:{}", server.port())
    );
}

#[tokio::test]
async fn a_name_is_looked_up_once_so_it_can_not_change_between_check_and_connect() {
    let server = Server::start([Answer::status(200)]).await;
    let names = Names::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let egress = named("xdr.localhost", &server, &names);
    assert_eq!(egress.send(request()).await.unwrap().status, 200);
    assert_eq!(*names.asked.lock().unwrap(), ["xdr.localhost"]);
    // The next connection looks again, and judges again.
    let outcome = egress.send(request()).await;
    expect_denied(outcome, Rule::Address);
}

#[tokio::test]
async fn a_name_reserved_for_this_machine_leads_nowhere_else() {
    let server = Server::start([Answer::status(200)]).await;
    let outcome = named("xdr.localhost", &server, &Names::new(&[&["9.9.9.9"]]))
        .send(request())
        .await;
    expect_denied(outcome, Rule::Address);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_connection_that_failed() {
    for names in [Names::new(&[]), Names::new(&[&[]])] {
        match over_tls(&names, false, 443).send(request()).await {
            Err(Failure::Connect(text)) => assert!(text.contains("api.example.com"), "{text}"),
            other => panic!("{other:?}"),
        }
        // It is worth another try.
        assert_eq!(names.asked.lock().unwrap().len(), 5);
    }
}

#[test]
fn origins_that_no_connection_may_have_are_refused_at_once() {
    for (origin, allow_loopback) in [
        ("http://api.example.com", true),
        ("http://9.9.9.9", true),
        ("http://127.0.0.1:8080", false),
        ("https://localhost", false),
        ("https://10.0.0.1", true),
        ("https://[::ffff:169.254.169.254]", true),
    ] {
        let config = EgressConfig {
            allow_loopback,
            ..config(origin)
        };
        assert!(
            matches!(Egress::new(config), Err(EgressError::Origin { .. })),
            "{origin}"
        );
    }
}

#[test]
fn unlimited_is_for_loopback_only() {
    let unlimited = |origin: &str| {
        let roots = vec![tls::authority("other").certificate.der().to_vec()];
        Egress::new(EgressConfig {
            rate: Rate::Unlimited,
            extra_roots: roots,
            ..config(origin)
        })
    };
    assert!(unlimited("http://127.0.0.1:8080").is_ok());
    assert!(matches!(
        unlimited("https://api.example.com"),
        Err(EgressError::Rate(_))
    ));
}

#[test]
fn declarations_that_contradict_each_other_are_refused() {
    let base = || config("http://127.0.0.1:8080");
    let mut twice = base();
    twice.calls.push(twice.calls[0].clone());
    assert!(matches!(
        Egress::new(twice),
        Err(EgressError::Twice { what: "call", .. })
    ));
    let mut twice = base();
    twice.origins.push(twice.origins[0].clone());
    assert!(matches!(
        Egress::new(twice),
        Err(EgressError::Twice { what: "origin", .. })
    ));
    let mut tricky = base();
    tricky.calls[0].path = "/things/../isolate".to_owned();
    assert!(matches!(Egress::new(tricky), Err(EgressError::Call { .. })));
    let mut nought = base();
    nought.limits.attempts = 0;
    assert_eq!(
        Egress::new(nought).err(),
        Some(EgressError::Limit("attempts"))
    );
}

#[test]
fn without_https_no_authorities_are_needed() {
    // What is no certificate would be refused if it were read.
    let config = EgressConfig {
        extra_roots: vec![b"no certificate".to_vec()],
        ..config("http://127.0.0.1:8080")
    };
    assert!(Egress::new(config).is_ok());
    let config = EgressConfig {
        extra_roots: vec![b"no certificate".to_vec()],
        ..self::config("https://api.example.com")
    };
    assert!(matches!(Egress::new(config), Err(EgressError::Tls(_))));
}
