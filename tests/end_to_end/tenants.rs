//! Two tenants in one process, towards the same API.

use cortex_xdr_simulator::{Options, Simulator};
use cross_crate_tests::{loopback, plugin, request};
use host_runner::connection::{self, ConnectRequest, ConnectionError, Desk, session};
use host_runner::domain::{ConnectionName, RunState, TenantName};
use host_runner::egress::{Rate, Usage};
use host_runner::pipeline::{self, Cancel, SyncOptions, Unobserved};
use host_runner::store::Store;
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;

const TENANTS: [&str; 2] = ["acme", "beta"];

struct Two {
    simulator: Simulator,
    desk: Desk,
    _data: TempDir,
}

fn tenant(name: &str) -> TenantName {
    TenantName::new(name).unwrap()
}

fn xdr() -> ConnectionName {
    ConnectionName::new("xdr").unwrap()
}

impl Two {
    async fn new() -> Self {
        let options = Options {
            endpoints: 250,
            alerts: 50,
            ..Options::default()
        };
        let simulator = Simulator::start(options, loopback()).await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let desk = Desk::new(plugin().await, data.path());
        for name in TENANTS {
            let request = ConnectRequest {
                tenant: tenant(name),
                skip_test: true,
                ..request(&simulator, json!({"dataStreams": ["endpoints"]}))
            };
            connection::connect(&desk, request, &()).await.unwrap();
        }
        Self {
            simulator,
            desk,
            _data: data,
        }
    }

    async fn session(&self, name: &str, rate: Rate) -> connection::Session {
        session(&self.desk, &tenant(name), &xdr(), &[], rate)
            .await
            .unwrap()
    }
}

fn sent(usage: &Usage) -> u64 {
    usage.calls.values().map(|call| call.attempts).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_waits_for_its_budget_slows_no_other_and_takes_nothing_of_its_budget() {
    let two = Two::new().await;
    let slow = two.session("acme", Rate::PerSecond(0.001)).await;
    let cancel = Cancel::new();
    let (options, watch) = (SyncOptions::default(), || Arc::new(Unobserved));
    let stream = slow.streams[0].clone();
    let job = slow.job(&two.desk, &stream, options.clone(), watch(), cancel.clone());
    let waiting = tokio::spawn(async move { pipeline::sync(&job).await });
    // One request goes out at once, the next one a quarter of an hour later.
    two.simulator.log().reached(1).await;

    let other = two.session("beta", Rate::Unlimited).await;
    let job = other.job(&two.desk, &stream, options, watch(), Cancel::new());
    let report = pipeline::sync(&job).await.unwrap();
    assert_eq!(report.state, RunState::Processed);
    assert!(sent(&report.usage) > 2, "{:?}", report.usage);
    assert!(!waiting.is_finished());
    assert_eq!(two.simulator.log().total(), 1 + sent(&report.usage));

    cancel.stop();
    let waited = waiting.await.unwrap().unwrap();
    assert_eq!(waited.state, RunState::Cancelled);
    assert_eq!(sent(&waited.usage), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_that_is_copied_to_another_tenant_does_not_open() {
    let two = Two::new().await;
    let mut stores = Vec::new();
    for name in TENANTS {
        let store = two.desk.stores.open(&tenant(name)).await.unwrap();
        let connection = store.connection(&xdr()).await.unwrap();
        // Before it is copied, each opens its own.
        drop(two.session(name, Rate::Unlimited).await);
        stores.push((store, connection));
    }
    let [(acme, from), (beta, to)] = <[_; 2]>::try_from(stores).unwrap();
    assert_eq!(from.id, to.id, "else the connection alone could tell");
    let sealed = acme.secret(from.id, "apiKey").await.unwrap().unwrap();
    beta.put_secret(to.id, "apiKey", &sealed).await.unwrap();
    let refused = session(&two.desk, &tenant("beta"), &xdr(), &[], Rate::Unlimited).await;
    let Err(error) = refused else {
        panic!("a secret of another tenant was opened");
    };
    assert!(
        matches!(
            error,
            ConnectionError::Sealed { .. } | ConnectionError::Seal(_)
        ),
        "{error}"
    );
    assert_eq!(two.simulator.log().total(), 0);
}
