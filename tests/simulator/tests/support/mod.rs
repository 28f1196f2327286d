//! A client of the simulator that signs its requests, and nothing else that a test would want to be hidden.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use cortex_xdr_simulator::{Options, SecurityLevel, Simulator};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A running simulator and a client with its key.
pub struct Tenant {
    pub simulator: Simulator,
    pub client: reqwest::Client,
}

/// A small tenant, whose data is relative to a fixed moment.
pub fn small() -> Options {
    Options {
        endpoints: 250,
        alerts: 400,
        cves: 30,
        now_ms: Some(1_750_000_000_000),
        ..Options::default()
    }
}

pub async fn start(options: Options) -> Tenant {
    // reqwest asks for a provider even where only plain HTTP is spoken; a second installation is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let simulator = Simulator::start(options, SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .expect("a free port");
    Tenant {
        simulator,
        client: reqwest::Client::new(),
    }
}

pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_millis() as i64
}

/// The headers of an advanced key.
pub fn signed(id: &str, key: &str, time: i64) -> Vec<(&'static str, String)> {
    let nonce = "n".repeat(64);
    let digest = Sha256::digest(format!("{key}{nonce}{time}"));
    vec![
        ("x-xdr-auth-id", id.to_owned()),
        ("x-xdr-nonce", nonce),
        ("x-xdr-timestamp", time.to_string()),
        (
            "authorization",
            digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        ),
    ]
}

impl Tenant {
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let (id, key) = (self.simulator.api_key_id(), self.simulator.api_key());
        match self.simulator.security_level() {
            SecurityLevel::Advanced => signed(id, key, now_ms()),
            SecurityLevel::Standard => vec![
                ("x-xdr-auth-id", id.to_owned()),
                ("authorization", key.to_owned()),
            ],
        }
    }

    pub fn request(&self, call: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/public_api/{call}", self.simulator.url());
        let request = self.client.post(url);
        self.headers()
            .into_iter()
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            })
    }

    /// Sends `request_data` and returns the status and the whole body.
    pub async fn send(&self, call: &str, data: Value) -> (u16, Value) {
        let reply = self
            .request(call)
            .json(&json!({ "request_data": data }))
            .send()
            .await
            .expect("a reply");
        let status = reply.status().as_u16();
        (status, reply.json().await.expect("JSON"))
    }

    /// The reply of a call that must succeed.
    pub async fn ok(&self, call: &str, data: Value) -> Value {
        let (status, mut body) = self.send(call, data.clone()).await;
        assert_eq!(status, 200, "{call} {data} {body}");
        body["reply"].take()
    }

    /// `err_extra` of a call that must be answered with 500.
    pub async fn refused(&self, call: &str, data: Value) -> Value {
        let (status, mut body) = self.send(call, data.clone()).await;
        assert_eq!(
            (status, &body["reply"]["err_code"]),
            (500, &json!(500)),
            "{call} {data} {body}"
        );
        body["reply"]["err_extra"].take()
    }

    /// All rows of a paged call, page by page until one is short.
    pub async fn all(&self, call: &str, list: &str, data: Value) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let mut data = data.clone();
            data["search_from"] = json!(rows.len());
            data["search_to"] = json!(rows.len() + 100);
            let page = self.ok(call, data).await;
            let page = page[list].as_array().expect("a list").clone();
            let size = page.len();
            rows.extend(page);
            if size < 100 {
                return rows;
            }
        }
    }
}

/// The values under a key, as text.
pub fn texts(rows: &[Value], key: &str) -> Vec<String> {
    rows.iter()
        .map(|row| row[key].as_str().unwrap_or_default().to_owned())
        .collect()
}
