//! What is shown of a connection before anything is sent, and that nothing is sent before.

use std::sync::Mutex;

use cortex_xdr_simulator::{Options, RequestLog, Simulator};
use cross_crate_tests::{loopback, plugin, request};
use host_runner::connection::{self, Completed, Desk, MapChoice, Onlooker, WayOut};
use serde_json::json;

/// Remembers what it was shown, and what had been sent by then.
struct Watching {
    log: RequestLog,
    shown: Mutex<Vec<(String, u64)>>,
}

impl Onlooker for Watching {
    fn completed(&self, completed: &Completed, _: &MapChoice, _: &WayOut) {
        let mut shown = self.shown.lock().unwrap();
        for (_, origin) in completed.origin_texts() {
            shown.push((origin, self.log.connections()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_origins_are_shown_before_anything_is_sent_to_them() {
    let options = Options {
        endpoints: 5,
        alerts: 5,
        ..Options::default()
    };
    let simulator = Simulator::start(options, loopback()).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::new(plugin().await, data.path());
    let watching = Watching {
        log: simulator.log(),
        shown: Mutex::default(),
    };
    connection::connect(&desk, request(&simulator, json!({})), &watching)
        .await
        .unwrap();
    assert_eq!(*watching.shown.lock().unwrap(), [(simulator.url(), 0)]);
    assert!(simulator.log().total() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_refused_is_refused_without_a_connection_to_anywhere() {
    let simulator = Simulator::start(Options::default(), loopback())
        .await
        .unwrap();
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::new(plugin().await, data.path());
    let mut not_here = request(&simulator, json!({}));
    not_here.allow_loopback = false;
    let elsewhere = request(&simulator, json!({"baseUrl": "https://10.0.0.1"}));
    let metadata = request(
        &simulator,
        json!({"baseUrl": "https://metadata.google.internal"}),
    );
    let user = request(
        &simulator,
        json!({"baseUrl": "https://user@api.example.com"}),
    );
    for refused in [not_here, elsewhere, metadata, user] {
        assert!(connection::connect(&desk, refused, &()).await.is_err());
    }
    assert_eq!(simulator.log().connections(), 0);
}
