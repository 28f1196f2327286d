//! The way through a proxy, honest or not.

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::places::Names;
use super::server::Answer;
use super::tls::{Authority, HOST, authority, trusting};
use super::*;

/// What a proxy is asked, up to the empty line.
async fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A proxy that does as CONNECT says, whatever the name, towards one port on loopback.
async fn proxy(port: u16) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let (sender, heads) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            sender.send(head(&mut client).await).unwrap();
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
    expect_denied(outcome, Rule::Address);
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

/// A proxy that answers each CONNECT with the one, what comes then with the other, and hangs up.
async fn answering(
    bytes: &'static [u8],
    then: &'static [u8],
) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let (sender, heads) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            sender.send(head(&mut client).await).unwrap();
            client.write_all(bytes).await.unwrap();
            if !then.is_empty() {
                let _ = client.read(&mut [0; 4096]).await;
                let _ = client.write_all(then).await;
            }
        }
    });
    (own, heads)
}

/// What a proxy that answers with these bytes leads to, and what it was asked.
async fn behind(answer: &'static [u8], then: &'static [u8]) -> (Failure, Vec<String>) {
    let (port, mut heads) = answering(answer, then).await;
    let address = format!("http://user:test-password@127.0.0.1:{port}");
    let egress = Egress::new(behind_proxy(&authority("ours"), &address, &[])).unwrap();
    let failure = egress.send(request()).await.unwrap_err();
    drop(egress);
    let mut asked = Vec::new();
    while let Ok(head) = heads.try_recv() {
        assert!(!head.contains(PATH), "{head}");
        asked.push(head);
    }
    let told = format!("{failure} {failure:?}");
    assert!(!told.contains("test-password"), "{told}");
    (failure, asked)
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_said_and_not_asked_again() {
    let (failure, asked) = behind(
        b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",
        b"",
    )
    .await;
    let told = failure.to_string();
    assert!(
        told.contains("wants a user and password") && told.contains("--proxy"),
        "{told}"
    );
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_or_redirects_is_said_and_not_followed() {
    for answer in [
        &b"HTTP/1.1 403 Forbidden\r\n\r\n"[..],
        b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n\r\n",
        b"no HTTP at all\r\n\r\n",
    ] {
        let (failure, asked) = behind(answer, b"").await;
        let told = failure.to_string();
        assert!(
            told.contains("refuses to connect to https://api.example.com"),
            "{told}"
        );
        assert_eq!(asked.len(), 1);
    }
}

#[tokio::test]
async fn a_proxy_that_answers_in_the_servers_place_gets_no_request() {
    let (failure, asked) = behind(
        b"HTTP/1.1 200 Connected\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    )
    .await;
    assert!(matches!(failure, Failure::Tls(_)), "{failure}");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let address = format!("http://user:test-password@127.0.0.1:{port}");
    let outcome = Egress::new(behind_proxy(&authority("ours"), &address, &[]))
        .unwrap()
        .send(request())
        .await;
    match outcome {
        Err(Failure::Connect(told)) => {
            assert!(
                told.contains(&format!(
                    "the proxy http://127.0.0.1:{port} can't be reached"
                )),
                "{told}"
            );
            assert!(!told.contains("test-password"), "{told}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn behind_a_proxy_one_forbidden_address_among_good_ones_is_one_too_many() {
    let ours = authority("ours");
    let acceptor = ours.acceptor(HOST, (2000, 2200));
    let server = Server::start_with([Answer::status(200)], Some(acceptor)).await;
    let (port, mut heads) = proxy(server.port()).await;
    let address = format!("http://127.0.0.1:{port}");
    for addresses in [["9.9.9.9", "10.0.0.1"], ["fd00:ec2::254", "9.9.9.9"]] {
        let config = behind_proxy(&ours, &address, &[&addresses]);
        let outcome = Egress::new(config).unwrap().send(request()).await;
        expect_denied(outcome, Rule::Address);
    }
    assert!(heads.try_recv().is_err(), "the proxy was asked");
    let config = behind_proxy(&ours, &address, &[&["9.9.9.9", "149.112.112.112"]]);
    assert_eq!(
        Egress::new(config)
            .unwrap()
            .send(request())
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn a_proxy_on_this_machine_does_not_make_names_of_this_machine_lead_beyond_it() {
    let server = Server::start([Answer::status(200)]).await;
    let mut config = config(&format!("http://localhost:{}", server.port()));
    config.proxy = Some(ProxyConfig::parse("http://localhost:3128").unwrap());
    config.resolver = Names::new(&[&["9.9.9.9"]]);
    let outcome = Egress::new(config).unwrap().send(request()).await;
    expect_denied(outcome, Rule::Address);
}

#[test]
fn an_origin_that_is_the_proxy_itself_is_refused() {
    let ours = authority("ours");
    let config = behind_proxy(&ours, &format!("http://{HOST}:3128"), &[]);
    assert!(matches!(
        Egress::new(config),
        Err(EgressError::Origin { .. })
    ));
}

#[tokio::test]
async fn a_proxy_spoken_to_over_tls_must_show_a_certificate_that_is_trusted() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    for (proxys, trusted) in [(&ours, true), (&theirs, false)] {
        let acceptor = ours.acceptor(HOST, (2000, 2200));
        let server = Server::start_with([Answer::status(200)], Some(acceptor)).await;
        let (behind, mut heads) = proxy(server.port()).await;
        let port = over_tls(proxys.acceptor("proxy.example.com", (2000, 2200)), behind).await;
        let address = format!("https://user:test-password@proxy.example.com:{port}");
        let mut config = behind_proxy(&ours, &address, &[&["9.9.9.9"], &["127.0.0.1"]]);
        config.allow_loopback = false;
        let outcome = Egress::new(config).unwrap().send(request()).await;
        match outcome {
            Ok(answer) => assert!(trusted && answer.status == 200),
            Err(Failure::Tls(told)) => {
                assert!(!trusted && told.contains("proxy.example.com"), "{told}");
                assert!(heads.try_recv().is_err(), "its password was sent");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// TLS before a port on loopback.
async fn over_tls(acceptor: TlsAcceptor, port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if let Ok(mut client) = acceptor.accept(client).await {
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        }
    });
    own
}

#[test]
fn what_is_kept_of_a_proxy_gives_the_same_proxy() {
    for text in [
        "http://proxy.example.com:3128",
        "http://user:test-password@proxy.example.com:3128",
        "http://token@proxy.example.com",
        "http://:test%3Apassword@10.0.0.1:8080",
    ] {
        let proxy = ProxyConfig::parse(text).unwrap();
        let kept = ProxyConfig::from_kept(proxy.address(), proxy.credentials().as_ref()).unwrap();
        let shown = |proxy: &ProxyConfig| {
            let user = proxy
                .user()
                .map(|(user, password)| (user.to_owned(), password.expose().to_owned()));
            (proxy.address().to_owned(), user)
        };
        assert_eq!(shown(&proxy), shown(&kept), "{text}");
        assert_eq!(proxy.user().is_some(), text.contains('@'));
    }
}

#[test]
fn a_proxys_address_is_read_and_its_password_is_not_told() {
    let proxy = ProxyConfig::parse("http://user:test%2Dpassword@proxy.example.com:3128/").unwrap();
    assert_eq!(proxy.address(), "http://proxy.example.com:3128");
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
