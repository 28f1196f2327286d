//! What a component is given: each verb's instance searched on its own.

use crate::sweep::plugin;
use cortex_xdr_simulator::{Options, Simulator};
use cross_crate_tests::memory::Kept;
use cross_crate_tests::traces::{Traces, mark};
use cross_crate_tests::{loopback, request, tenant};
use host_runner::connection::{self, Desk, TypedConfig};
use host_runner::egress::Rate;
use host_runner::imports::Silent;
use host_runner::pipeline::{self, Cancel, SyncOptions, Unobserved};
use host_runner::secrets::SecretSet;
use serde_json::json;
use std::sync::Arc;

/// An ordinary value of the configuration, which must arrive.
const ORDINARY: &str = "an-ordinary-value-of-the-configuration";

#[tokio::test(flavor = "multi_thread")]
async fn no_verb_is_given_a_key_that_stood_in_the_configuration_and_each_is_given_the_rest() {
    let kept = Kept::default();
    let plugin = plugin(&kept).await;
    let options = Options {
        endpoints: 20,
        alerts: 0,
        seed: 51,
        ..Options::default()
    };
    let simulator = Simulator::start(options, loopback()).await.unwrap();
    let key = simulator.api_key();
    let traces = Traces::of(mark(key), []);
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::new(Arc::clone(&plugin), data.path());
    let mut asked = request(&simulator, json!({"tags": [ORDINARY]}));
    // As a user does who types the key into the file with everything else.
    let mut config = asked.typed.config.clone();
    config["apiKey"] = json!(key);
    let fields = plugin.manifest().secret_fields();
    asked.typed = TypedConfig::new(config, SecretSet::default(), &fields).unwrap();
    assert_eq!(asked.typed.secrets.get("apiKey").unwrap().expose(), key);

    let check = async |verb: &str| {
        let memories = kept.all().await;
        assert!(!memories.is_empty(), "{verb}: no instance");
        let given = memories.iter().any(|memory| {
            memory
                .windows(ORDINARY.len())
                .any(|part| part == ORDINARY.as_bytes())
        });
        assert!(given || verb == "describe", "{verb} was given nothing");
        for memory in memories {
            assert_eq!(traces.find(&memory), None, "{verb}");
        }
    };
    check("describe").await;
    connection::complete(&plugin, &asked.typed, None, true, Arc::new(Silent))
        .await
        .unwrap();
    check("configure").await;
    let saved = connection::connect(&desk, asked, &()).await.unwrap();
    check("connect").await;
    assert!(!format!("{} {}", saved.config, saved.typed_config).contains(mark(key)));
    let (tenant, name) = (tenant(), &saved.name);
    connection::test(&desk, &tenant, name, Rate::Unlimited, &())
        .await
        .unwrap();
    check("test").await;
    connection::survey(&desk, &tenant, name, 30, Rate::Unlimited)
        .await
        .unwrap();
    check("survey").await;
    let session = connection::session(&desk, &tenant, name, &[], Rate::Unlimited)
        .await
        .unwrap();
    let stream = &session.streams[0];
    let options = SyncOptions::default();
    let job = session.job(&desk, stream, options, Arc::new(Unobserved), Cancel::new());
    pipeline::sync(&job).await.unwrap();
    check("sync").await;
}
