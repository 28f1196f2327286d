//! Results that are too large, or that break their own contract: the step that has one is refused whole.

use crate::bench::{Bench, entry, mallory};
use host_runner::domain::RunState;
use host_runner::pipeline::FaultKind;
use host_runner::store::RecordState;
use hostile_connector::order::{Attack, Order, Verb};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giant_results_meet_a_limit_and_the_step_is_refused_whole() {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    for (attack, limit) in [
        (Attack::TooManyRecords, "step-records"),
        (Attack::GiantStep, "call"),
        (Attack::GiantList, "call"),
        (Attack::GiantRecord, "record"),
        (Attack::GiantCheckpoint, "checkpoint"),
        (Attack::IdleSteps, "idle-steps"),
    ] {
        let order = Order {
            after: 1,
            ..bench.order(attack)
        };
        bench.attacked(&order).await.met_limit(limit).kept(2).await;
    }
    let order = Order {
        at: Verb::Apply,
        records: 1,
        ..bench.order(Attack::GiantDocument)
    };
    bench
        .attacked(&order)
        .await
        .met_limit("record")
        .kept(0)
        .await;
    let attacked = bench.attacked(&bench.order(Attack::FilterNames)).await;
    attacked.met_limit("filters").kept(0).await;
    bystander.goes_on().await;
}

/// A sync may have ten million steps: here it may have fifty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_without_end_end_and_what_they_brought_is_kept() {
    let bench = Bench::limited(|limits| limits.sync_steps = 50).await;
    let attacked = bench.attacked(&bench.order(Attack::EndlessSteps)).await;
    attacked.met_limit("sync-steps").kept(100).await;
}

/// Each attack, carried out in the second step, ends its run as a broken contract that names what was broken; what the first step brought is kept.
async fn each_breaks_the_contract(attacks: &[(Attack, Verb, &str)]) {
    let bench = Bench::new().await;
    let bystander = bench.bystander().await;
    for &(attack, at, what) in attacks {
        let order = Order {
            at,
            after: 1,
            ..bench.order(attack)
        };
        let kept = if at == Verb::Next { 2 } else { 0 };
        bench.attacked(&order).await.broke(what).kept(kept).await;
    }
    bystander.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_and_broken_json_breaks_the_contract_wherever_it_stands() {
    each_breaks_the_contract(&[
        (Attack::DeepRecord, Verb::Next, "recursion limit"),
        (Attack::BrokenRecord, Verb::Next, "the record `k1-0`"),
        (Attack::DeepCheckpoint, Verb::Next, "recursion limit"),
        (Attack::BrokenCheckpoint, Verb::Next, "a checkpoint"),
        (Attack::DeepDocument, Verb::Apply, "recursion limit"),
        (Attack::BrokenDocument, Verb::Apply, "the document `k0-0`"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_configuration_is_json_of_a_bounded_size_and_depth() {
    let bench = Bench::new().await;
    for (attack, what) in [
        (Attack::DeepConfig, "recursion limit"),
        (Attack::WideConfig, "and one has at most"),
    ] {
        let error = bench.connect(&mallory(), &bench.order(attack), true).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_that_break_their_contract_end_the_run_and_it_says_what_was_broken() {
    each_breaks_the_contract(&[
        (Attack::KeyEmpty, Verb::Next, "a key of 0 bytes"),
        (Attack::KeyLong, Verb::Next, "a key of 100000 bytes"),
        (Attack::KeyNul, Verb::Next, "a key with a NUL"),
        (Attack::TextBroken, Verb::Next, "invalid utf-8"),
        (Attack::ListBeyond, Verb::Next, "out of bounds"),
        (Attack::SeenLate, Verb::Next, "`late` an impossible time"),
        (Attack::ClosedLate, Verb::Next, "an impossible time"),
        (
            Attack::ConfirmUnheld,
            Verb::Next,
            "the confirmation of \"never-held\"",
        ),
        (Attack::MoreOutcomes, Verb::Apply, "3 outcomes for 2"),
        (Attack::FewerOutcomes, Verb::Apply, "1 outcomes for 2"),
        (Attack::FindingNoKey, Verb::Apply, "a document a key of 0"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_explains_and_sifts_is_checked_as_well() {
    let bench = Bench::new().await;
    for (attack, what) in [
        (Attack::MoreOutcomes, "told of 3 entries"),
        (Attack::FewerOutcomes, "told of 1 entries"),
        (Attack::BrokenRecord, "a changed record can't be read"),
        (Attack::DeepRecord, "recursion limit"),
        (Attack::GiantRecord, "at most 8 MiB"),
        (Attack::KeyNul, "none of them NUL"),
    ] {
        let error = bench.sift(&bench.order(attack)).await.unwrap_err();
        assert!(error.to_string().contains(what), "{attack:?}: {error}");
    }
    let mapper = bench.mapper(&bench.order(Attack::Behave)).await.unwrap();
    for attack in [Attack::KeyEmpty, Attack::KeyNul] {
        let error = mapper.explain(entry(&bench.order(attack))).await;
        assert!(error.unwrap_err().to_string().contains("a trace a key"));
    }
    let traces = mapper
        .explain(entry(&bench.order(Attack::GiantFault)))
        .await;
    let origin = &traces.unwrap().unwrap()[0].origins[0];
    let texts = [&origin.target, &origin.rule, &origin.sources[0]];
    let paths = mapper.reads().await.unwrap();
    assert_eq!(paths.len(), 2, "{paths:?}");
    for text in texts.into_iter().chain(&paths) {
        assert!(text.chars().count() <= 2_001 && !text.contains(char::is_control));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_repeat_are_counted_and_give_one_record() {
    let bench = Bench::new().await;
    let attacked = bench.attacked(&bench.order(Attack::KeyTwice)).await;
    assert_eq!(attacked.report.state, RunState::Processed);
    assert_eq!(attacked.report.ledger.duplicate, 1);
    attacked.kept(1).await;
    let attacked = bench.attacked(&bench.order(Attack::KeysAgain)).await;
    assert_eq!(attacked.report.state, RunState::Processed);
    assert_eq!(attacked.report.ledger.duplicate, 4);
    attacked.kept(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_that_overflow_stand_still_at_the_greatest_number() {
    let bench = Bench::new().await;
    let attacked = bench.attacked(&bench.order(Attack::Overflow)).await;
    assert!(attacked.report.fault.is_none(), "{:?}", attacked.report);
    assert_eq!(attacked.report.ledger.filtered_total(), u64::MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_as_long_as_a_book_are_cut_before_they_are_kept() {
    let bench = Bench::new().await;
    let attacked = bench.attacked(&bench.order(Attack::GiantFault)).await;
    let fault = attacked.fault();
    assert_eq!(fault.kind, FaultKind::Other);
    for text in [&fault.message, &fault.remedy, &fault.call] {
        assert!(text.chars().count() <= 2_001, "{}", text.len());
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let attacked = bench.attacked(&bench.order(Attack::GiantEnd)).await;
    assert!(attacked.report.fault.is_none(), "{:?}", attacked.report);
    for warning in &attacked.report.warnings {
        assert!(warning.chars().count() <= 2_001, "{}", warning.len());
        assert!(!warning.contains(char::is_control), "{warning:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_placeholder_that_points_nowhere_changes_nothing() {
    let bench = Bench::new().await;
    let order = Order {
        at: Verb::Apply,
        ..bench.order(Attack::PlaceholderNowhere)
    };
    let attacked = bench.attacked(&order).await;
    assert_eq!(attacked.report.state, RunState::Processed);
    let assets = bench.assets().await;
    assert_eq!(assets.len(), 6);
    for asset in assets {
        assert_eq!(asset.body["name"], asset.body["externalId"]);
    }
}

/// Even in the same tenant: keys are a connection's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_connection_holds_can_be_neither_changed_nor_closed_nor_added_to() {
    let bench = Bench::new().await;
    let victim = Order {
        prefix: "victim-".to_owned(),
        ..bench.order(Attack::Behave)
    };
    let victim = bench.attacked(&victim).await;
    let key = "victim-0-0".to_owned();
    let held = |assets: Vec<host_runner::store::Asset>| {
        let own = (victim.connection.id, key.clone());
        let mut assets = assets.into_iter();
        assets
            .find(|asset| asset.keys.contains(&own))
            .expect("the victim's asset")
    };
    let before = held(bench.assets().await);
    for (attack, at) in [
        (Attack::CloseUnheld, Verb::Next),
        (Attack::AssetElsewhere, Verb::Apply),
        (Attack::FindingElsewhere, Verb::Apply),
    ] {
        let order = Order {
            at,
            key: key.clone(),
            ..bench.order(attack)
        };
        let attacked = bench.attacked(&order).await;
        assert!(attacked.report.fault.is_none(), "{:?}", attacked.report);
    }
    let after = held(bench.assets().await);
    assert_eq!(after.body, before.body);
    assert_eq!(after.keys, before.keys);
    assert_eq!(after.facets, before.facets);
    for finding in bench.findings().await {
        if finding.connection != victim.connection.id {
            assert_ne!(finding.asset, Some(after.id), "{finding:?}");
        }
    }
    for record in bench.records(&victim.connection).await {
        assert_eq!(record.state, RecordState::Open, "{record:?}");
    }
}
