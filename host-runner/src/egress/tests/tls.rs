//! TLS for real: certificates made for the test, refused with what is wrong with them; and the way through a proxy.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::places::Names;
use super::server::Answer;
use super::*;

const HOST: &str = "api.example.com";

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

impl Authority {
    fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    /// A server's side of TLS with a certificate for this name, valid from and to these years.
    fn acceptor(&self, host: &str, years: (i32, i32)) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.certificate).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn trusting(authority: &Authority, port: u16) -> EgressConfig {
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
        text.contains("authority") && text.contains("--ca-file") && text.contains(HOST),
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
    assert!(text.contains("not for api.example.com"), "{text}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_expired_certificate_and_one_of_the_future_are_refused_and_said() {
    let authority = authority("ours");
    let (text, _server) = refusal(authority.acceptor(HOST, (2000, 2001)), &authority).await;
    assert!(text.contains("expired"), "{text}");
    let (text, _server) = refusal(authority.acceptor(HOST, (2190, 2200)), &authority).await;
    assert!(text.contains("not valid yet"), "{text}");
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

/// A proxy that does as CONNECT says, whatever the name, towards one port on loopback.
async fn proxy(port: u16) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let (sender, heads) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            sender.send(String::from_utf8(head).unwrap()).unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            client
                .write_all(b"HTTP/1.1 200 Connected\r\n\r\n")
                .await
                .unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (own, heads)
}

fn behind_proxy(authority: &Authority, address: &str, names: &[&[&str]]) -> EgressConfig {
    EgressConfig {
        resolver: Names::new(names),
        proxy: Some(ProxyConfig::parse(address).unwrap()),
        ..trusting(authority, 443)
    }
}

#[tokio::test]
async fn a_proxy_sees_the_name_and_its_own_password_and_nothing_of_the_request() {
    let authority = authority("ours");
    let server = Server::start_with(
        [Answer::status(200)],
        Some(authority.acceptor(HOST, (2000, 2200))),
    )
    .await;
    let (port, mut heads) = proxy(server.port()).await;
    // The proxy's address is private, as they are; the origin's name resolves at the proxy only.
    let config = behind_proxy(
        &authority,
        &format!("http://user:test-password@127.0.0.1:{port}"),
        &[],
    );
    let egress = Egress::new(EgressConfig {
        allow_loopback: false,
        ..config
    })
    .unwrap();
    let headers = vec![(
        "authorization".to_owned(),
        vec![Fill::Part(Part::Secret("apiKey".to_owned()))],
    )];
    assert_eq!(
        egress
            .send(OutgoingRequest {
                headers,
                ..request()
            })
            .await
            .unwrap()
            .status,
        200
    );
    let head = heads.recv().await.unwrap();
    assert!(
        head.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"),
        "{head}"
    );
    // user:test-password
    assert!(head.contains("Basic dXNlcjp0ZXN0LXBhc3N3b3Jk"), "{head}");
    assert!(!head.contains(MARK) && !head.contains(PATH), "{head}");
    assert!(server.seen()[0].all("proxy-authorization").is_empty());
    assert_eq!(server.seen()[0].header("authorization"), MARK);
}

#[tokio::test]
async fn behind_a_proxy_certificates_and_addresses_are_judged_as_without_it() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let server = Server::start_with(
        [Answer::status(200)],
        Some(theirs.acceptor(HOST, (2000, 2200))),
    )
    .await;
    let (port, _heads) = proxy(server.port()).await;
    let address = format!("http://127.0.0.1:{port}");
    let outcome = Egress::new(behind_proxy(&ours, &address, &[]))
        .unwrap()
        .send(request())
        .await;
    assert!(matches!(outcome, Err(Failure::Tls(_))), "{outcome:?}");
    let outcome = Egress::new(behind_proxy(&theirs, &address, &[&["10.0.0.1"]]))
        .unwrap()
        .send(request())
        .await;
    assert!(
        matches!(
            outcome,
            Err(Failure::Denied {
                rule: Rule::Address,
                ..
            })
        ),
        "{outcome:?}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn what_stays_on_this_machine_does_not_go_through_the_proxy() {
    let server = Server::start([Answer::status(200)]).await;
    let (port, mut heads) = proxy(server.port()).await;
    let mut config = config(&format!("http://localhost:{}", server.port()));
    config.resolver = Names::new(&[&["127.0.0.1"]]);
    config.proxy = Some(ProxyConfig::parse(&format!("http://127.0.0.1:{port}")).unwrap());
    assert_eq!(
        Egress::new(config)
            .unwrap()
            .send(request())
            .await
            .unwrap()
            .status,
        200
    );
    assert!(heads.try_recv().is_err());
}

#[test]
fn a_proxys_address_is_read_and_its_password_is_not_told() {
    let proxy = ProxyConfig::parse("http://user:test%2Dpassword@proxy.example.com:3128/").unwrap();
    assert_eq!(proxy.address(), "http://proxy.example.com:3128/");
    assert_eq!(
        proxy
            .user()
            .map(|(user, password)| (user, password.expose())),
        Some(("user", "test-password"))
    );
    assert!(!format!("{proxy:?}").contains("password@") && !format!("{proxy:?}").contains("test"));
    for wrong in [
        "",
        "proxy",
        "socks5://user:test-password@proxy.example.com",
        "http://user:test-password@",
        "http://user:test-password@h/path",
    ] {
        let error = ProxyConfig::parse(wrong).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("test"), "{error}");
    }
}
