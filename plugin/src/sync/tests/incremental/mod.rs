//! Incremental reads.

mod recheck;
mod sweep;
mod together;
mod version_1;
mod window;

use super::tenant::{BEGINNING, Tenant, Total, alert, endpoint};
use super::*;
use crate::contract::types::Cause;
use crate::platform::Request;
use crate::testing::{Answer, NOW};
use serde_json::{Value, json};
use std::rc::Rc;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const NEW: &str = "STATUS_010_NEW";
const RESOLVED: &str = "STATUS_080_RESOLVED_AUTO";

fn ended(read: &All) -> Vec<u8> {
    read.end.as_ref().unwrap().checkpoint.clone()
}

fn full(platform: &FakePlatform, stream: DataStream) -> All {
    all(&begin(platform, &settings(), stream, None).unwrap()).unwrap()
}

fn incremental(platform: &FakePlatform, stream: DataStream, from: Vec<u8>) -> All {
    let reading = begin_as(Mode::Incremental, platform, &settings(), stream, Some(from)).unwrap();
    all(&reading).unwrap()
}

fn data(request: &Request) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["request_data"].clone()
}

/// An alert that the server stored at a time of its own.
fn stored(number: usize, created: u64, stored: u64, status: &str) -> Value {
    let mut record = alert(number, 0, status);
    record["detection_timestamp"] = json!(created);
    record["local_insert_ts"] = json!(stored);
    record
}

/// A tenant with alerts of long ago that a full read at NOW has read; the platform holds them open.
fn read_tenant(count: usize) -> (Rc<Tenant>, FakePlatform, Vec<u8>) {
    let tenant = Tenant::new(
        (0..count)
            .map(|number| alert(number, number as u64, NEW))
            .collect(),
    );
    let platform = tenant.platform();
    let read = full(&platform, DataStream::Alerts);
    assert_eq!(read.keys().len(), count);
    for number in 0..count {
        platform.hold("alerts", &number.to_string(), NOW + number as u64);
    }
    (tenant, platform, ended(&read))
}

#[test]
fn an_incremental_read_can_not_go_on_with_a_full_one_nor_begin_from_nothing() {
    let platform = Tenant::new((0..7).map(|number| endpoint(number, 1)).collect()).platform();
    let reading = begin(&platform, &settings(), DataStream::Endpoints, None).unwrap();
    let Progress::Step(step) = block_on(reading.next()).unwrap() else {
        panic!("no step");
    };
    for checkpoint in [None, Some(step.checkpoint)] {
        let Err(fault) = begin_as(
            Mode::Incremental,
            &platform,
            &settings(),
            DataStream::Endpoints,
            checkpoint,
        ) else {
            panic!("it was begun");
        };
        assert!(
            matches!(fault.cause, Cause::Checkpoint),
            "{}",
            fault.message
        );
    }
}
