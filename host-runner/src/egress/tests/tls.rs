//! TLS for real: certificates made for the test, refused with what is wrong with them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::places::Names;
use super::server::{Answer, serve};
use super::*;

pub(super) const HOST: &str = "api.example.com";

pub(super) struct Authority {
    pub(super) certificate: CertifiedIssuer<'static, KeyPair>,
}

pub(super) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    Authority { certificate }
}

/// A certificate and its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// What a certificate says, for this name, valid from and to these years.
fn params(host: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

impl Identity {
    /// A server's side of TLS, which offers these protocols, the best first.
    fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Authority {
    pub(super) fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    fn issue(&self, host: &str, years: (i32, i32)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(host, years)
            .signed_by(&key, &self.certificate)
            .unwrap();
        Identity { certificate, key }
    }

    /// A server's side of TLS with a certificate for this name, valid from and to these years.
    pub(super) fn acceptor(&self, host: &str, years: (i32, i32)) -> TlsAcceptor {
        self.issue(host, years).acceptor(&[])
    }
}

pub(super) fn trusting(authority: &Authority, port: u16) -> EgressConfig {
    let mut config = config(&format!("https://{HOST}:{port}"));
    config.resolver = Names::new(&[&["127.0.0.1"]]);
    config.extra_roots = vec![authority.der()];
    config
}

async fn refusal(acceptor: TlsAcceptor, trusted: &Authority) -> (String, Server) {
    let server = Server::start_with([Answer::status(200)], Some(acceptor)).await;
    let egress = Egress::new(trusting(trusted, server.port())).unwrap();
    match egress.send(request()).await {
        Err(Failure::Tls(text)) => {
            assert_eq!(
                egress.usage().calls["list"].attempts,
                1,
                "a refused certificate is not tried again"
            );
            (text, server)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted() {
    let authority = authority("ours");
    let server = Server::start_with(
        [Answer::with(200, &[], b"hello")],
        Some(authority.acceptor(HOST, (2000, 2200))),
    )
    .await;
    let answer = Egress::new(trusting(&authority, server.port()))
        .unwrap()
        .send(request())
        .await
        .unwrap();
    assert_eq!(whole(answer.body).await.unwrap(), b"hello");
}

#[tokio::test]
async fn an_unknown_authority_is_refused_and_said() {
    let (text, server) = refusal(
        authority("theirs").acceptor(HOST, (2000, 2200)),
        &authority("ours"),
    )
    .await;
    assert!(
        text.contains("(\"theirs\")") && text.contains("--ca-file") && text.contains(HOST),
        "{text}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_authority_of_a_trusted_name_and_another_key_is_refused_and_said() {
    let (trusted, named_like_it) = (authority("ours"), authority("ours"));
    let acceptor = named_like_it.acceptor(HOST, (2000, 2200));
    let (text, server) = refusal(acceptor, &trusted).await;
    assert!(
        text.contains("\"ours\"") && text.contains("signature") && text.contains("--ca-file"),
        "{text}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_that_issued_itself_is_refused_and_said() {
    let key = KeyPair::generate().unwrap();
    let certificate = params(HOST, (2000, 2200)).self_signed(&key).unwrap();
    let itself = Identity { certificate, key };
    let (text, server) = refusal(itself.acceptor(&[]), &authority("ours")).await;
    assert!(
        text.contains("issued by itself") && text.contains(HOST),
        "{text}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_and_said() {
    let authority = authority("ours");
    let (text, server) = refusal(
        authority.acceptor("other.example.com", (2000, 2200)),
        &authority,
    )
    .await;
    assert!(
        text.contains("not for api.example.com, but for other.example.com"),
        "{text}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_expired_certificate_and_one_of_the_future_are_refused_and_said() {
    let authority = authority("ours");
    let (text, _server) = refusal(authority.acceptor(HOST, (2000, 2001)), &authority).await;
    assert!(text.contains("has expired at 2001-01-01T"), "{text}");
    let (text, _server) = refusal(authority.acceptor(HOST, (2190, 2200)), &authority).await;
    assert!(
        text.contains("not valid yet: it begins at 2190-01-01T"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_without_tls_gets_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let mut got = Vec::new();
        // Ends when the client hangs up, be it in order or not.
        let _ = stream.read_to_end(&mut got).await;
        got
    });
    let outcome = Egress::new(trusting(&authority("ours"), port))
        .unwrap()
        .send(request())
        .await;
    assert!(matches!(outcome, Err(Failure::Tls(_))), "{outcome:?}");
    let got = server.await.unwrap();
    assert!(
        !got.windows(PATH.len())
            .any(|window| window == PATH.as_bytes())
    );
}

#[tokio::test]
async fn http_2_is_neither_offered_nor_taken() {
    let authority = authority("ours");
    // Where both are spoken, HTTP/1.1 is.
    let both = authority
        .issue(HOST, (2000, 2200))
        .acceptor(&["h2", "http/1.1"]);
    let server = Server::start_with([Answer::status(200)], Some(both)).await;
    let egress = Egress::new(trusting(&authority, server.port())).unwrap();
    assert_eq!(egress.send(request()).await.unwrap().status, 200);
    assert!(server.seen()[0].head[0].ends_with("HTTP/1.1"));

    let only = authority.issue(HOST, (2000, 2200)).acceptor(&["h2"]);
    let (text, server) = refusal(only, &authority).await;
    assert!(text.contains("does not speak HTTP/1.1"), "{text}");
    assert!(server.seen().is_empty());
}

/// A server that speaks HTTP/2 whatever was agreed on.
#[tokio::test]
async fn an_answer_in_http_2_is_a_failure_and_nothing_worse() {
    let settings = b"\0\0\0\x04\0\0\0\0\0".to_vec();
    let server = Server::start([Answer::Bytes(settings)]).await;
    assert!(egress(&server).send(request()).await.is_err());
}

#[tokio::test]
async fn a_session_over_tls_is_taken_up_by_its_own_connection_and_by_no_other() {
    let authority = authority("ours");
    let acceptor = authority.acceptor(HOST, (2000, 2200));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, mut kinds) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = acceptor.accept(stream).await.unwrap();
            sender.send(stream.get_ref().1.handshake_kind()).unwrap();
            let script = Mutex::new([Answer::status(200)].into());
            serve(stream, &script, &Mutex::default()).await;
        }
    });
    let egress = || Egress::new(trusting(&authority, port)).unwrap();
    let (one, other) = (egress(), egress());
    for (egress, kind) in [
        (&one, HandshakeKind::Full),
        (&one, HandshakeKind::Resumed),
        (&other, HandshakeKind::Full),
    ] {
        let answer = egress.send(request()).await.unwrap();
        whole(answer.body).await.unwrap();
        assert_eq!(kinds.recv().await.unwrap(), Some(kind));
    }
}
