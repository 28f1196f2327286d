//! Going on from checkpoints.

use super::tenant::{Tenant, Total, endpoint};
use super::*;
use crate::contract::types::Cause;
use serde_json::Value;

#[test]
fn a_checkpoint_of_another_scope_or_version_is_a_fault_that_says_so() {
    let platform = Tenant::new(vec![endpoint(1, 1)]).platform();
    let narrowed = Settings {
        tags: set(&["prod"]),
        ..settings()
    };
    let reading = begin(&platform, &settings(), DataStream::Endpoints, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    for (settings, stream, checkpoint) in [
        (narrowed, DataStream::Endpoints, step.checkpoint.clone()),
        (settings(), DataStream::Alerts, step.checkpoint.clone()),
        (settings(), DataStream::Vulnerabilities, step.checkpoint),
        (
            settings(),
            DataStream::Endpoints,
            br#"{"version":99}"#.to_vec(),
        ),
        (settings(), DataStream::Endpoints, b"?".to_vec()),
    ] {
        let Err(fault) = begin(&platform, &settings, stream, Some(checkpoint)) else {
            panic!("taken");
        };
        assert!(
            matches!(fault.cause, Cause::Checkpoint),
            "{}",
            fault.message
        );
    }
}

#[test]
fn a_finished_read_begins_anew_from_its_last_checkpoint() {
    let platform = Tenant::new((0..7).map(|number| endpoint(number, 1)).collect()).platform();
    let first = all(&begin(&platform, &settings(), DataStream::Endpoints, None).unwrap()).unwrap();
    let checkpoint = first.end.unwrap().checkpoint;
    let second = all(&begin(
        &platform,
        &settings(),
        DataStream::Endpoints,
        Some(checkpoint),
    )
    .unwrap())
    .unwrap();
    assert_eq!(second.keys().len(), 7);
}

#[test]
fn an_unknown_data_stream_is_refused_by_name() {
    let platform = Tenant::new(Vec::new()).platform();
    let request = SyncRequest {
        config: Vec::new(),
        data_stream: "incidents".to_owned(),
        mode: Mode::Full,
        checkpoint: None,
    };
    let Err(fault) = block_on(super::super::read(platform, &settings(), &request)) else {
        panic!("it was begun");
    };
    assert!(fault.message.contains("incidents"), "{}", fault.message);
}

proptest::proptest! {
    #[test]
    fn a_read_that_is_cut_after_any_step_gives_the_same_records_and_none_twice(
        times in proptest::collection::vec(0_u64..400, 0..150),
        cuts in proptest::collection::vec(1_usize..9, 1..40),
        null in proptest::bool::ANY,
    ) {
        let records: Vec<Value> = times.iter().enumerate().map(|(number, after)| endpoint(number, *after)).collect();
        let tenant = Tenant::new(records);
        tenant.total.set(if null { Total::Null } else { Total::Capped(49) });
        let platform = tenant.platform();
        let mut checkpoint = None;
        let mut keys = Vec::new();
        let mut cuts = cuts.into_iter();
        let (read, coverage) = 'runs: loop {
            let reading = begin_small(&platform, &settings(), DataStream::Endpoints, checkpoint.clone()).unwrap();
            // Without cuts left the run goes on to the end.
            for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                match block_on(reading.next()).unwrap() {
                    Progress::Step(step) => {
                        keys.extend(step.entries.into_iter().map(|entry| entry.key));
                        checkpoint = Some(step.checkpoint);
                    }
                    Progress::End(summary) => break 'runs (summary.read, summary.coverage),
                }
            }
        };
        let mut expected: Vec<String> = (0..times.len()).map(|number| format!("e{number:05}")).collect();
        keys.sort();
        expected.sort();
        proptest::prop_assert_eq!(keys, expected);
        proptest::prop_assert_eq!(read, times.len() as u64);
        proptest::prop_assert!(matches!(coverage, Coverage::Complete(_)));
    }
}
