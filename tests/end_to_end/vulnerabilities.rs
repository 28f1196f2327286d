//! A full sync of vulnerabilities.

use cortex_xdr_simulator::{Options, StreamGzip};
use cross_crate_tests::Rig;
use host_runner::domain::RunState;
use host_runner::pipeline::FaultKind;
use serde_json::json;
use std::collections::BTreeSet;

async fn expect_each_cve_of_each_endpoint(options: Options) {
    let rig = Rig::new(
        options,
        json!({"dataStreams": ["endpoints", "vulnerabilities"]}),
    )
    .await;
    rig.sync("endpoints").await;
    let report = rig.sync("vulnerabilities").await;
    assert_eq!(report.state, RunState::Processed, "{:?}", report.fault);
    assert!(report.ledger.adds_up(), "{:?}", report.ledger);
    let held: BTreeSet<String> = rig
        .assets()
        .await
        .into_iter()
        .map(|asset| asset.keys[0].1.clone())
        .collect();
    let expected: BTreeSet<String> = rig
        .simulator
        .tenant()
        .vulnerabilities()
        .into_iter()
        .filter(|scan| held.contains(&scan.endpoint_id))
        .flat_map(|scan| {
            let endpoint = scan.endpoint_id;
            scan.cves
                .into_iter()
                .map(move |cve| format!("{endpoint}|{cve}"))
        })
        .collect();
    assert!(!expected.is_empty());
    let findings: BTreeSet<String> = rig
        .findings()
        .await
        .into_iter()
        .map(|finding| finding.key)
        .collect();
    assert_eq!(findings, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_come_inline() {
    expect_each_cve_of_each_endpoint(Options {
        endpoints: 40,
        alerts: 0,
        cves: 20,
        ..Options::default()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_come_as_a_stream_gzipped_twice() {
    let options = Options {
        endpoints: 600,
        alerts: 0,
        cves: 100,
        xql_stream_gzip: StreamGzip::Twice,
        xql_pending_polls: 3,
        ..Options::default()
    };
    expect_each_cve_of_each_endpoint(options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_host_insights_the_run_says_unlicensed_and_not_an_empty_list() {
    let rig = Rig::new(
        Options {
            endpoints: 20,
            alerts: 0,
            ..Options::default()
        },
        json!({"dataStreams": ["endpoints", "vulnerabilities"]}),
    )
    .await;
    drop(rig);
    let options = Options {
        endpoints: 20,
        alerts: 0,
        host_insights: false,
        ..Options::default()
    };
    let rig = Rig::untested(
        options,
        json!({"dataStreams": ["endpoints", "vulnerabilities"]}),
    )
    .await;
    let report = rig.sync("vulnerabilities").await;
    assert_eq!(report.state, RunState::Failed);
    let fault = report.fault.expect("a fault");
    assert_eq!(fault.kind, FaultKind::Unlicensed, "{fault:?}");
    assert!(!fault.remedy.is_empty());
}
