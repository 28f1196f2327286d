//! TLS as the simulator serves it: whose certificate it shows, and that a handshake which is never made holds nobody up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::net::SocketAddr;
use std::sync::Arc;

use cortex_xdr_simulator::{Options, ServerCertificate, Simulator, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

async fn start(certificate: ServerCertificate, hosts: &[&str]) -> Simulator {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let options = Options {
        endpoints: 1,
        alerts: 1,
        tls: Some(Tls { hosts, certificate }),
        ..Options::default()
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Simulator::start(options, anywhere).await.unwrap()
}

/// Asks for a path that does not exist, as a client that trusts the simulator's authority, and gives the first line of the answer.
async fn ask(simulator: &Simulator, host: &'static str) -> std::io::Result<String> {
    let authority = simulator.authority().unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(simulator.address()).await?;
    let name = ServerName::try_from(host).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let request = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_sound_certificate_is_for_the_hosts_that_were_asked_for() {
    let simulator = start(ServerCertificate::Sound, &[]).await;
    assert!(simulator.url().starts_with("https://127.0.0.1:"));
    for host in ["127.0.0.1", "localhost"] {
        assert!(
            ask(&simulator, host)
                .await
                .unwrap()
                .starts_with("HTTP/1.1 500")
        );
    }
    assert!(ask(&simulator, "xdr.tenant.test").await.is_err());
    let named = start(ServerCertificate::Sound, &["xdr.tenant.test"]).await;
    assert!(ask(&named, "xdr.tenant.test").await.is_ok());
    assert!(ask(&named, "127.0.0.1").await.is_err());
}

#[tokio::test]
async fn each_certificate_with_something_wrong_is_refused_by_whoever_checks_it() {
    for certificate in [
        ServerCertificate::UnknownAuthority,
        ServerCertificate::OtherHost,
        ServerCertificate::Expired,
        ServerCertificate::NotYetValid,
        ServerCertificate::SelfSigned,
    ] {
        let simulator = start(certificate, &[]).await;
        assert!(
            ask(&simulator, "127.0.0.1").await.is_err(),
            "{certificate:?}"
        );
        assert_eq!(simulator.log().total(), 0);
        assert_eq!(simulator.log().connections(), 1);
    }
}

#[tokio::test]
async fn a_handshake_that_is_never_made_holds_nobody_up() {
    let simulator = start(ServerCertificate::Sound, &[]).await;
    let _silent = TcpStream::connect(simulator.address()).await.unwrap();
    ask(&simulator, "localhost").await.unwrap();
    ask(&simulator, "localhost").await.unwrap();
    let seen: Vec<u64> = simulator
        .log()
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(seen, [2, 3]);
    assert_eq!(simulator.log().connections(), 3);
}
