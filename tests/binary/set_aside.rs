//! A connection whose component keeps breaking, beside one whose component does not.

use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;
use serde_json::json;

/// Ends a sync of alerts at a limit of the runner: a step of them has more records.
const BREAKS: [&str; 4] = ["--stream", "alerts", "--limit-step-records", "1"];
const XDR: [&str; 3] = ["xdr", "--tenant", "acme"];

async fn connected() -> Runner {
    let options = Options {
        endpoints: 20,
        alerts: 40,
        ..Options::default()
    };
    let runner = Runner::new(options).await;
    runner
        .connect_with(json!({}), &["--skip-test"])
        .await
        .succeeded();
    runner
}

async fn run(runner: &Runner, verb: &str, more: &[&str]) -> Ended {
    runner.run(&[&[verb][..], &XDR, more].concat()).await
}

async fn breaks(runner: &Runner) -> Ended {
    let sync = [&BREAKS[..], &["--requests-per-second", "unlimited"]].concat();
    run(runner, "sync", &sync).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_set_aside_with_its_reason_shown_everywhere_and_reinstated_by_hand() {
    let runner = connected().await;
    for _ in 0..2 {
        breaks(&runner).await.failed(6, &["step-records"]);
    }
    let last = breaks(&runner).await.failed(6, &["step-records"]);
    assert!(last.err.contains("is set aside"), "{last:?}");

    runner.simulator.log().clear();
    let refused = runner.sync().await;
    assert_eq!(refused.code, Some(10), "{refused:?}");
    let told: serde_json::Value = serde_json::from_str(refused.err.trim()).unwrap();
    let error = &told["error"];
    assert_eq!(error["kind"], "set-aside");
    assert_eq!(error["setAside"]["run"], 3);
    let says = ["runs show 3", "reinstate xdr --tenant acme", "--upgrade"];
    let remedy = error["remedy"].as_str().unwrap();
    assert!(says.iter().all(|text| remedy.contains(text)), "{remedy}");
    assert_eq!(runner.simulator.log().total(), 0, "nothing was sent");

    let status = run(&runner, "status", &[]).await.succeeded();
    assert!(status.out.contains("set aside"), "{status:?}");
    assert!(status.out.contains("step-records"), "{status:?}");
    let status = run(&runner, "status", &["--json"]).await.succeeded().json();
    assert_eq!(status["connection"]["setAside"]["inARow"], 3);
    let listed = runner.run(&["connections"]).await.succeeded();
    assert!(listed.out.contains("set aside"), "{listed:?}");

    run(&runner, "update", &["--description", "seen by nobody"])
        .await
        .succeeded();
    assert_eq!(runner.sync().await.code, Some(10));
    run(&runner, "reinstate", &[]).await.succeeded();
    runner.sync().await.succeeded();
    let again = run(&runner, "reinstate", &["--json"]).await.succeeded();
    assert_eq!(again.json()["wasSetAside"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_answers_and_a_dry_run_set_nothing_aside() {
    let runner = connected().await;
    for _ in 0..4 {
        let tried = [&BREAKS[..], &["--dry-run"]].concat();
        run(&runner, "sync", &tried)
            .await
            .failed(6, &["step-records"]);
    }
    runner.simulator.tenant().revoke_key();
    for _ in 0..4 {
        assert_eq!(runner.sync().await.code, Some(4));
    }
    let status = run(&runner, "status", &["--json"]).await.succeeded().json();
    assert!(status["connection"]["setAside"].is_null(), "{status}");
}
