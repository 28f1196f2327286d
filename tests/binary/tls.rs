//! TLS for real, as an administrator meets it: certificates that are refused with what is wrong with them, and `--ca-file`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;

use cortex_xdr_simulator::{Options, ServerCertificate, Simulator, Tls};
use serde_json::{Value, json};

use crate::runner::{Ended, Runner, ended};

/// What every sync of these tests is given.
pub const SYNC: [&str; 6] = [
    "sync",
    "xdr",
    "--tenant",
    "acme",
    "--requests-per-second",
    "8",
];

/// A simulated tenant that serves TLS, and a machine that trusts one authority, which is another one.
pub struct Secure {
    pub runner: Runner,
    /// The file with the simulator's authority.
    pub authority: String,
    machine: String,
}

impl Secure {
    pub async fn new(certificate: ServerCertificate, hosts: &[&str]) -> Self {
        let options = |tls| Options {
            endpoints: 10,
            alerts: 5,
            tls: Some(tls),
            ..Options::default()
        };
        let tls = Tls {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            certificate,
        };
        let runner = Runner::new(options(tls)).await;
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let other = Simulator::start(options(Tls::default()), anywhere)
            .await
            .unwrap();
        Self {
            authority: runner.file("ca.pem", runner.simulator.authority().unwrap()),
            machine: runner.file("machine.pem", other.authority().unwrap()),
            runner,
        }
    }

    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[]).await
    }

    pub async fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = self.runner.command(arguments);
        command
            .env("SSL_CERT_FILE", &self.machine)
            .env_remove("SSL_CERT_DIR")
            .envs(environment.iter().copied());
        ended(command).await
    }

    pub async fn connect(&self, config: Value, flags: &[&str]) -> Ended {
        self.connect_with(config, flags, &[]).await
    }

    pub async fn connect_with(
        &self,
        config: Value,
        flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Ended {
        let config = self.runner.config(config);
        let mut arguments = vec!["connect", "xdr", "--tenant", "acme", "--config", &config];
        arguments.extend(["--secret", "apiKey=env:SIMULATOR_KEY"]);
        arguments.extend(flags);
        self.run_with(&arguments, environment).await
    }

    /// That nothing was asked of the tenant, and nothing is connected.
    pub async fn nothing_happened(&self) {
        assert_eq!(self.runner.simulator.log().total(), 0, "a request was sent");
        let listed = self.run(&["connections", "--json"]).await.succeeded();
        assert!(listed.out.is_empty(), "{listed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_the_companys_own_authority_is_connected_and_synced_with_its_file() {
    let tenant = Secure::new(ServerCertificate::Sound, &[]).await;
    let flags = ["--allow-loopback", "--ca-file", &tenant.authority];
    let connected = tenant.connect(json!({}), &flags).await.succeeded();
    let told = connected
        .out
        .find("trusting, beside this machine's authorities: Simulated authority");
    let tested = connected.out.find("host reached");
    assert!(told.is_some() && told < tested, "{connected:?}");

    // The certificate is kept itself.
    std::fs::remove_file(&tenant.authority).unwrap();
    let named = ["xdr", "--tenant", "acme"];
    let with = |verb: &'static str| [&[verb][..], &named[..]].concat();
    let tested = tenant.run(&with("test")).await.succeeded();
    assert!(tested.out.contains("certificate is trusted"), "{tested:?}");
    tenant.run(&SYNC).await.succeeded();
    tenant.run(&with("blindspots")).await.succeeded();

    let status = [&with("status")[..], &["--json"]].concat();
    let status = tenant.run(&status).await.succeeded().json();
    let kept = &status["connection"]["authorities"][0];
    let subject = kept["subject"].as_str().unwrap();
    assert!(subject.starts_with("Simulated authority"), "{kept}");
    assert_eq!(kept["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(kept["notAfter"], "2200-01-01T00:00:00.000Z");
    let card = tenant.run(&with("status")).await.succeeded().out;
    assert!(
        card.contains("Simulated authority") && card.contains("2200-01-01"),
        "{card}"
    );
    let listed = tenant.run(&["connections", "--json"]).await.succeeded();
    assert_eq!(listed.lines()[0]["authorities"][0], *kept);

    // Without it, it is not trusted: an update that would break the connection is refused, and a sync says what is wrong.
    let forget = [&with("update")[..], &["--ca-file", "none"]].concat();
    tenant.run(&forget).await.failed(4, &["the test failed"]);
    tenant.run(&with("test")).await.succeeded();
    tenant
        .run(&[&forget[..], &["--skip-test"]].concat())
        .await
        .succeeded();
    let before = tenant.runner.simulator.log().total();
    let synced = tenant.run(&SYNC).await;
    let synced = synced.failed(5, &["unknown here", "Simulated authority", "--ca-file"]);
    assert!(synced.err.contains("127.0.0.1"), "{synced:?}");
    assert_eq!(tenant.runner.simulator.log().total(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_can_not_be_trusted_is_refused_with_what_is_wrong_and_nothing_is_sent() {
    let cases: [(ServerCertificate, bool, &[&str]); 6] = [
        (
            ServerCertificate::Sound,
            false,
            &[
                "issued by an authority that is unknown here",
                "Simulated authority",
                "--ca-file",
            ],
        ),
        (
            ServerCertificate::UnknownAuthority,
            true,
            &[
                "issued by an authority that is unknown here",
                "Unknown authority",
                "--ca-file",
            ],
        ),
        (
            ServerCertificate::SelfSigned,
            true,
            &["issued by itself", "Simulated tenant"],
        ),
        (
            ServerCertificate::OtherHost,
            true,
            &["not for 127.0.0.1, but for other.example.com"],
        ),
        (
            ServerCertificate::Expired,
            true,
            &["has expired at 2021-01-01T00:00:00.000Z"],
        ),
        (
            ServerCertificate::NotYetValid,
            true,
            &["not valid yet: it begins at 2190-01-01T00:00:00.000Z"],
        ),
    ];
    for (certificate, trusted, says) in cases {
        let tenant = Secure::new(certificate, &[]).await;
        let flags = ["--allow-loopback", "--ca-file", &tenant.authority];
        let flags = if trusted { &flags[..] } else { &flags[..1] };
        let connected = tenant.connect(json!({}), flags).await;
        let connected = connected.failed(4, &["the test failed"]);
        for text in says {
            assert!(
                connected.out.contains(text),
                "{certificate:?}: `{text}` is missing: {connected:?}"
            );
        }
        tenant.nothing_happened().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_holds_no_authority_is_refused_before_anything_is_sent() {
    let tenant = Secure::new(ServerCertificate::Sound, &[]).await;
    let authority = tenant.runner.simulator.authority().unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\ndGVzdC1rZXk=\n-----END PRIVATE KEY-----\n";
    let cases = [
        ("key.pem", format!("{authority}{key}"), "private key"),
        ("text.pem", "hello".to_owned(), "isn't PEM"),
        ("empty.pem", String::new(), "isn't PEM"),
        (
            "other.pem",
            "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n".to_owned(),
            "holds no certificate",
        ),
        ("cut.pem", authority[..200].to_owned(), "can't be read"),
    ];
    for (name, content, says) in cases {
        let file = tenant.runner.file(name, content);
        let flags = ["--allow-loopback", "--ca-file", &file];
        let connected = tenant.connect(json!({}), &flags).await;
        let connected = connected.failed(3, &[name, says]);
        assert!(!connected.err.contains("dGVzdC1rZXk"), "{connected:?}");
    }
    let flags = ["--allow-loopback", "--ca-file", "no-such.pem"];
    tenant
        .connect(json!({}), &flags)
        .await
        .failed(3, &["no-such.pem"]);
    assert_eq!(tenant.runner.simulator.log().connections(), 0);
    tenant.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn configure_shows_where_requests_would_go_and_sends_none() {
    let tenant = Secure::new(ServerCertificate::Sound, &[]).await;
    let config = tenant.runner.config(json!({}));
    let configure = [
        "configure",
        "--config",
        &config,
        "--secret",
        "apiKey=env:SIMULATOR_KEY",
    ];
    let told = tenant.run(&configure).await.succeeded();
    assert!(
        told.err.contains(&tenant.runner.simulator.url()),
        "{told:?}"
    );
    assert_eq!(tenant.runner.simulator.log().connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn simulate_over_tls_writes_its_authority_and_says_how_to_connect() {
    let tenant = Secure::new(ServerCertificate::Sound, &[]).await;
    let file = tenant.runner.folder.path().join("simulated.pem");
    let file = file.to_str().unwrap();
    let mut simulate = std::process::Command::new(env!("CARGO_BIN_EXE_host-runner"))
        .args([
            "simulate",
            "--tls",
            "--ca-out",
            file,
            "--listen",
            "127.0.0.1:0",
        ])
        .args(["--endpoints", "5", "--alerts", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(simulate.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let access: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(access["caFile"], file);
    assert!(
        access["url"].as_str().unwrap().starts_with("https://"),
        "{access}"
    );
    let config = json!({"baseUrl": access["url"], "apiKeyId": access["apiKeyId"]});
    let key = access["apiKey"].as_str().unwrap();
    let flags = ["--allow-loopback", "--ca-file", file];
    let connected = tenant
        .connect_with(config, &flags, &[("SIMULATOR_KEY", key)])
        .await;
    simulate.kill().unwrap();
    simulate.wait().unwrap();
    connected.succeeded();
}
