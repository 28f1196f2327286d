//! The company's proxy, as an administrator names it: `--proxy`, and what a hostile one comes to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cortex_xdr_simulator::{Options, ServerCertificate, Simulator, Tls};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::tls::{SYNC, Secure};

/// A name that no resolver knows (RFC 6761), as public names are not known in many networks that have a proxy.
const HOST: &str = "xdr.tenant.test";

const PASSWORD: &str = "test-password";

/// What a proxy does about a CONNECT.
#[derive(Clone)]
enum Way {
    /// It connects there, whatever the name.
    To(SocketAddr),
    /// The same, for those who show user and password.
    WithPassword(SocketAddr),
    /// It answers this, the second part to what comes then, and hangs up.
    Answer(&'static str, &'static str),
}

/// A proxy on this machine, and what it was asked.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn new(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, way.clone(), Arc::clone(&record)));
            }
        });
        Self { port, asked }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// With user and password.
    fn with_password(&self) -> String {
        format!("http://clerk:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut client: TcpStream, way: Way, record: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    record.lock().unwrap().push(head.clone());
    // clerk:test-password
    let knows = head.contains("Proxy-Authorization: Basic Y2xlcms6dGVzdC1wYXNzd29yZA==\r\n")
        || head.contains("proxy-authorization: Basic Y2xlcms6dGVzdC1wYXNzd29yZA==\r\n");
    let server = match way {
        Way::To(address) => address,
        Way::WithPassword(address) if knows => address,
        Way::WithPassword(_) => {
            let answer = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
            let _ = client.write_all(answer.as_bytes()).await;
            return;
        }
        Way::Answer(answer, then) => {
            let _ = client.write_all(answer.as_bytes()).await;
            if !then.is_empty() {
                let _ = client.read(&mut [0; 4096]).await;
                let _ = client.write_all(then.as_bytes()).await;
            }
            return;
        }
    };
    let mut server = TcpStream::connect(server).await.unwrap();
    let _ = client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await;
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

fn tenant_at_host() -> serde_json::Value {
    json!({"baseUrl": format!("https://{HOST}")})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_behind_a_proxy_is_connected_and_synced_and_the_proxy_sees_its_name_alone() {
    let tenant = Secure::new(ServerCertificate::Sound, &[HOST]).await;
    let proxy = Proxy::new(Way::To(tenant.runner.simulator.address())).await;
    let address = proxy.address();
    let flags = ["--ca-file", &tenant.authority, "--proxy", &address];
    let connected = tenant.connect(tenant_at_host(), &flags).await.succeeded();
    let told = connected.out.find(&format!("through the proxy {address}"));
    let tested = connected.out.find("host reached");
    assert!(told.is_some() && told < tested, "{connected:?}");
    let asked = proxy.asked().len();
    assert!(asked > 0);
    for verb in ["test", "blindspots"] {
        tenant
            .run(&[verb, "xdr", "--tenant", "acme"])
            .await
            .succeeded();
    }
    tenant.run(&SYNC).await.succeeded();
    assert!(proxy.asked().len() >= asked + 3);
    for head in proxy.asked() {
        assert!(
            head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")),
            "{head}"
        );
        assert!(
            !head.contains("public_api") && !head.to_lowercase().contains("authorization"),
            "{head}"
        );
    }

    let status = tenant
        .run(&["status", "xdr", "--tenant", "acme"])
        .await
        .succeeded()
        .out;
    assert!(status.contains(&address), "{status}");
    let listed = tenant.run(&["connections"]).await.succeeded().out;
    assert!(listed.contains("through http://127.0.0.1"), "{listed}");
    let listed = tenant.run(&["connections", "--json"]).await.succeeded();
    let kept = json!({"url": address, "credentials": false});
    assert_eq!(listed.lines()[0]["proxy"], kept);

    let straight = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--proxy",
        "none",
        "--skip-test",
    ];
    tenant.run(&straight).await.succeeded();
    let listed = tenant.run(&["connections", "--json"]).await.succeeded();
    assert!(listed.lines()[0]["proxy"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_password_is_sealed_and_told_nowhere() {
    let tenant = Secure::new(ServerCertificate::Sound, &[HOST]).await;
    let proxy = Proxy::new(Way::WithPassword(tenant.runner.simulator.address())).await;
    let url = proxy.with_password();
    let environment = [("PROXY_URL", url.as_str()), ("RUST_LOG", "trace")];
    let flags = [
        "--ca-file",
        &tenant.authority,
        "--proxy",
        "env:PROXY_URL",
        "-vvv",
    ];
    let connected = tenant
        .connect_with(tenant_at_host(), &flags, &environment)
        .await
        .succeeded();
    let mut told = format!("{}{}", connected.out, connected.err);
    for arguments in [
        &[&SYNC[..], &["-vvv"]].concat()[..],
        &["status", "xdr", "--tenant", "acme"],
        &["status", "xdr", "--tenant", "acme", "--json"],
        &["connections", "--json"],
        // Other changes leave it as it is, and so does another master key.
        &["update", "xdr", "--tenant", "acme", "--description", "d"],
        &["keys", "rotate"],
        &["test", "xdr", "--tenant", "acme", "-vvv"],
    ] {
        let done = tenant
            .run_with(arguments, &[("RUST_LOG", "trace")])
            .await
            .succeeded();
        told.push_str(&done.out);
        told.push_str(&done.err);
    }
    assert!(told.contains("with user and password"), "{told}");
    let listed = tenant.run(&["connections", "--json"]).await.succeeded();
    let kept = json!({"url": proxy.address(), "credentials": true});
    assert_eq!(listed.lines()[0]["proxy"], kept);
    assert_eq!(listed.lines()[0]["secrets"], json!(["apiKey"]));
    for secret in [PASSWORD, "clerk:", "Y2xlcms6dGVzdC1wYXNzd29yZA"] {
        assert!(!told.contains(secret), "{secret} is told: {told}");
    }
    let mut folders = vec![tenant.runner.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(PASSWORD.len())
                .any(|part| part == PASSWORD.as_bytes());
            assert!(!found, "the password stands in {}", path.display());
        }
    }

    // A proxy without a password takes the old one's with it.
    let address = proxy.address();
    let update = ["update", "xdr", "--tenant", "acme", "--proxy", &address];
    let refused = tenant.run(&update).await.failed(4, &["the test failed"]);
    assert!(
        refused.out.contains("wants a user and password"),
        "{refused:?}"
    );
    tenant
        .run(&[&update[..], &["--skip-test"]].concat())
        .await
        .succeeded();
    let synced = tenant.run(&SYNC).await;
    synced.failed(5, &["wants a user and password", "--proxy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_redirects_or_answers_itself_gets_no_request() {
    let tenant = Secure::new(ServerCertificate::Sound, &[HOST]).await;
    let refused = "refuses to connect to https://xdr.tenant.test";
    for (answer, then, says) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "", refused),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
            "",
            refused,
        ),
        ("HTTP/1.1 407 Who\r\n\r\n", "", "wants a user and password"),
        (
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"status\":\"healthy\"}",
            "the handshake with",
        ),
    ] {
        let proxy = Proxy::new(Way::Answer(answer, then)).await;
        let url = proxy.with_password();
        let flags = ["--ca-file", &tenant.authority, "--proxy", &url];
        let connected = tenant.connect(tenant_at_host(), &flags).await;
        let connected = connected.failed(4, &["the test failed"]);
        assert!(
            connected.out.contains(says),
            "`{says}` is missing: {connected:?}"
        );
        let told = format!("{}{}", connected.out, connected.err);
        assert!(!told.contains(PASSWORD), "{told}");
        assert_eq!(proxy.asked().len(), 1, "{answer}");
    }
    tenant.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_re_signs_traffic_is_refused_unless_its_authority_is_named() {
    let tenant = Secure::new(ServerCertificate::Sound, &[HOST]).await;
    // It has a certificate for the tenant's name, of an authority of its own.
    let tls = Tls {
        hosts: vec![HOST.to_owned()],
        ..Tls::default()
    };
    let options = Options {
        endpoints: 5,
        alerts: 5,
        tls: Some(tls),
        ..Options::default()
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let between = Simulator::start(options, anywhere).await.unwrap();
    let proxy = Proxy::new(Way::To(between.address())).await;
    let address = proxy.address();
    let flags = ["--ca-file", &tenant.authority, "--proxy", &address];
    let connected = tenant.connect(tenant_at_host(), &flags).await;
    let connected = connected.failed(4, &["the test failed"]);
    assert!(
        connected.out.contains("unknown here") && connected.out.contains("--ca-file"),
        "{connected:?}"
    );
    assert_eq!(between.log().total(), 0);
    tenant.nothing_happened().await;

    let its = tenant
        .runner
        .file("proxy-ca.pem", between.authority().unwrap());
    let flags = ["--ca-file", &its, "--proxy", &address];
    tenant.connect(tenant_at_host(), &flags).await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_private_places_are_refused_before_it_is_asked() {
    let tenant = Secure::new(ServerCertificate::Sound, &[HOST]).await;
    let proxy = Proxy::new(Way::To(tenant.runner.simulator.address())).await;
    let address = proxy.address();
    let flags = ["--ca-file", &tenant.authority, "--proxy", &address];
    for base in [
        "https://169.254.169.254",
        "https://10.0.0.1",
        "https://[fd00:ec2::254]",
        "https://metadata.google.internal",
        "https://127.0.0.1",
        "https://localhost",
    ] {
        let connected = tenant.connect(json!({"baseUrl": base}), &flags).await;
        assert_eq!(connected.code, Some(3), "{base}: {connected:?}");
    }
    assert_eq!(proxy.asked(), [""; 0]);
    tenant.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_on_this_machine_uses_no_proxy_neither_a_named_one_nor_one_of_the_environment() {
    let tenant = Secure::new(ServerCertificate::Sound, &[]).await;
    let proxy = Proxy::new(Way::Answer("HTTP/1.1 403 Forbidden\r\n\r\n", "")).await;
    let address = proxy.address();
    let flags = [
        "--allow-loopback",
        "--ca-file",
        &tenant.authority,
        "--proxy",
        &address,
    ];
    tenant.connect(json!({}), &flags).await.succeeded();
    assert_eq!(proxy.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_is_not_used() {
    let tenant = Secure::new(ServerCertificate::Sound, &[]).await;
    let proxy = Proxy::new(Way::Answer("HTTP/1.1 403 Forbidden\r\n\r\n", "")).await;
    let address = proxy.address();
    let names = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let environment: Vec<(&str, &str)> =
        names.iter().map(|name| (*name, address.as_str())).collect();
    let flags = ["--allow-loopback", "--ca-file", &tenant.authority];
    tenant
        .connect_with(json!({}), &flags, &environment)
        .await
        .succeeded();
    assert_eq!(proxy.asked(), [""; 0]);
}
