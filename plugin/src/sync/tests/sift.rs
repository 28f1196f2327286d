//! What another configuration does with what is held, beside what a read with that configuration gives.

use super::tenant::{Tenant, alert, endpoint};
use super::xql::{Xql, rows};
use super::{All, all, begin, set, settings};
use crate::configure::{AlertStatus, DataStream, Settings};
use crate::contract::types::Cause;
use crate::contract::{Closing, Entry, Sifted, Sifting};
use crate::sync::sift;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn sifted(before: &Settings, after: &Settings, stream: DataStream, entries: &[Entry]) -> Sifting {
    let (before, after) = (before.to_config(), after.to_config());
    sift(&before, &after, stream.name(), entries).unwrap()
}

/// The filters that leave records out, and none for those that stay.
fn left_out(sifting: &Sifting) -> Vec<Option<&str>> {
    let each = sifting.entries.iter().map(|sifted| match sifted {
        Sifted::Leaves(filter) => Some(filter.as_str()),
        Sifted::Stays => None,
        Sifted::Changes(record) => panic!("{}", String::from_utf8_lossy(record)),
    });
    each.collect()
}

/// What a tenant holds of a stream.
#[derive(Debug, Clone)]
enum Held {
    Endpoints(Vec<Value>),
    Alerts(Vec<Value>),
    /// Endpoints, and for each whether `get_endpoint` knows it.
    Vulnerabilities(Vec<(Value, bool)>),
}

impl Held {
    fn stream(&self) -> DataStream {
        match self {
            Held::Endpoints(_) => DataStream::Endpoints,
            Held::Alerts(_) => DataStream::Alerts,
            Held::Vulnerabilities(_) => DataStream::Vulnerabilities,
        }
    }

    fn read(&self, settings: &Settings) -> All {
        let platform = match self {
            Held::Endpoints(records) | Held::Alerts(records) => {
                Tenant::new(records.clone()).platform()
            }
            Held::Vulnerabilities(endpoints) => {
                let all = (0..endpoints.len()).flat_map(|number| rows(number, 1 + number % 3));
                let known = endpoints.iter().filter(|(_, known)| *known);
                let known = known.map(|(endpoint, _)| endpoint.clone());
                Xql::new(all.collect(), known.collect()).platform()
            }
        };
        all(&begin(&platform, settings, self.stream(), None).unwrap()).unwrap()
    }
}

fn subset(words: &'static [&'static str], least: usize) -> impl Strategy<Value = BTreeSet<String>> {
    prop::sample::subsequence(words, least..=words.len()).prop_map(|chosen| set(&chosen))
}

const TAGS: [&str; 3] = ["prod", "Prod", "dmz"];
const SOURCES: [&str; 3] = ["XDR BIOC", "XDR IOC", "PAN NGFW"];
const STATUSES: [&str; 4] = ["connected", "disconnected", "lost", "uninstalled"];

fn any_settings() -> impl Strategy<Value = Settings> {
    let statuses = prop::sample::subsequence(&AlertStatus::ALL, 1..=2);
    (
        subset(&TAGS, 0),
        subset(&SOURCES, 1),
        subset(&STATUSES, 1),
        statuses,
    )
        .prop_map(
            |(tags, alert_sources, endpoint_statuses, statuses)| Settings {
                tags,
                alert_sources,
                endpoint_statuses,
                alert_statuses: statuses.into_iter().collect(),
                ..settings()
            },
        )
}

fn any_endpoint() -> impl Strategy<Value = Value> {
    let status = prop::sample::select(vec![
        json!("CONNECTED"),
        json!("Lost"),
        json!("DISCONNECTED"),
        json!("UNINSTALLED"),
        json!("VDI_PENDING_LOG_ON"),
        json!(" "),
        json!(null),
        json!(7),
    ]);
    let tags = prop::sample::select(vec![
        json!({"server_tags": ["prod"], "endpoint_tags": []}),
        json!({"server_tags": ["x"], "endpoint_tags": ["dmz", "Prod"]}),
        json!({"endpoint_tags": "dmz"}),
        json!(["prod"]),
        json!({}),
        json!(null),
        json!(3),
    ]);
    (status, tags).prop_map(|(status, tags)| json!({"endpoint_status": status, "tags": tags}))
}

fn endpoints(records: Vec<Value>) -> Vec<Value> {
    let numbered = records.into_iter().enumerate().map(|(number, fields)| {
        let mut record = endpoint(number, number as u64);
        for (name, value) in fields.as_object().unwrap() {
            record[name] = value.clone();
        }
        record
    });
    numbered.collect()
}

fn any_alert() -> impl Strategy<Value = (&'static str, &'static str)> {
    let statuses = vec![
        "STATUS_010_NEW",
        "STATUS_020_UNDER_INVESTIGATION",
        "under investigation",
        "STATUS_030_RESOLVED_THREAT_HANDLED",
        "STATUS_099_ODD",
    ];
    let sources = vec!["XDR BIOC", "xdr ioc", "PAN NGFW", "Somebody - Else"];
    (
        prop::sample::select(statuses),
        prop::sample::select(sources),
    )
}

fn any_held() -> impl Strategy<Value = Held> {
    let many = || prop::collection::vec(any_endpoint(), 0..12);
    prop_oneof![
        many().prop_map(|records| Held::Endpoints(endpoints(records))),
        (many(), any::<u16>()).prop_map(|(records, unknown)| {
            let known = |number: usize| unknown & (1 << (number % 16)) != 0;
            let numbered = endpoints(records).into_iter().enumerate();
            Held::Vulnerabilities(numbered.map(|(at, record)| (record, known(at))).collect())
        }),
        prop::collection::vec(any_alert(), 0..12).prop_map(|alerts| {
            let numbered = alerts
                .into_iter()
                .enumerate()
                .map(|(at, (status, source))| {
                    let mut alert = alert(1 + at, at as u64, status);
                    alert["source"] = json!(source);
                    alert
                });
            Held::Alerts(numbered.collect())
        }),
    ]
}

fn entries(all: All) -> Vec<Entry> {
    all.steps
        .into_iter()
        .flat_map(|step| step.entries)
        .collect()
}

proptest! {
    #[test]
    fn what_a_read_handed_over_stays_under_the_same_configuration(held in any_held(), settings in any_settings()) {
        let entries = entries(held.read(&settings));
        let sifting = sifted(&settings, &settings, held.stream(), &entries);
        prop_assert_eq!(left_out(&sifting), vec![None; entries.len()]);
        prop_assert!(!sifting.may_add);
    }

    #[test]
    fn another_configuration_does_to_what_is_held_what_a_read_with_it_does(
        held in any_held(), before in any_settings(), after in any_settings()
    ) {
        let entries = entries(held.read(&before));
        let sifting = sifted(&before, &after, held.stream(), &entries);
        let read = held.read(&after);
        let taken = read.keys();
        let mut filters = BTreeMap::new();
        for closure in read.steps.iter().flat_map(|step| &step.closures) {
            if let Closing::OutOfScope(filter) = &closure.closing {
                filters.insert(closure.key.as_str(), filter.as_str());
            }
        }
        // What a read does not give at all: alerts of other sources, and endpoints of which nothing tells the tags.
        let unread = match held {
            Held::Alerts(_) => "alertSources",
            _ => "tags",
        };
        for (entry, filter) in entries.iter().zip(left_out(&sifting)) {
            let expected = (!taken.contains(&entry.key))
                .then(|| *filters.get(entry.key.as_str()).unwrap_or(&unread));
            prop_assert_eq!(filter, expected, "{}", String::from_utf8_lossy(&entry.body));
        }
        if !sifting.may_add {
            let held: BTreeSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
            prop_assert!(taken.is_subset(&held), "{:?} beyond {:?}", taken, held);
        }
    }

    #[test]
    fn any_bodies_are_sifted(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4), which in 0..3_usize) {
        let entries: Vec<Entry> = bodies.into_iter().map(entry).collect();
        let sifting = sifted(&settings(), &settings(), DataStream::ALL[which], &entries);
        prop_assert_eq!(sifting.entries.len(), entries.len());
    }
}

fn entry(body: impl Into<Vec<u8>>) -> Entry {
    Entry {
        key: "k".to_owned(),
        fingerprint: "f".to_owned(),
        seen_at: None,
        partial: false,
        body: body.into(),
    }
}

/// Whether a change of the settings may add to a stream.
fn may_add(stream: DataStream, change: impl Fn(&mut Settings), back: bool) -> bool {
    let mut changed = settings();
    change(&mut changed);
    let (before, after) = if back {
        (changed, settings())
    } else {
        (settings(), changed)
    };
    sifted(&before, &after, stream, &[]).may_add
}

#[test]
fn only_what_surely_narrows_adds_nothing() {
    type Change = fn(&mut Settings);
    let narrower: [(DataStream, Change); 6] = [
        (DataStream::Endpoints, |to| to.tags = set(&["a"])),
        (DataStream::Vulnerabilities, |to| to.tags = set(&["a"])),
        (DataStream::Endpoints, |to| {
            to.endpoint_statuses = set(&["lost"]);
        }),
        (DataStream::Alerts, |to| {
            to.alert_sources = set(&["XDR IOC"])
        }),
        (DataStream::Alerts, |to| {
            to.alert_statuses = [AlertStatus::New].into();
        }),
        // What is not read any more.
        (DataStream::Alerts, |to| {
            to.data_streams.remove(&DataStream::Alerts);
        }),
    ];
    for (number, (stream, change)) in narrower.into_iter().enumerate() {
        assert!(!may_add(stream, change, false), "{number} narrows");
        assert!(may_add(stream, change, true), "{number} widens again");
    }
    let beside: [(DataStream, Change); 2] = [
        (DataStream::Alerts, |to| to.tags = set(&["a"])),
        (DataStream::Endpoints, |to| to.alert_sources = set(&["x"])),
    ];
    for (stream, change) in beside {
        assert!(!may_add(stream, change, false) && !may_add(stream, change, true));
    }
    let other_tenant = |to: &mut Settings| {
        to.origin = "https://api-other.xdr.us.paloaltonetworks.com".to_owned();
    };
    assert!(may_add(DataStream::Alerts, other_tenant, false));
    assert!(may_add(
        DataStream::Endpoints,
        |to| to.api_key_id = "43".to_owned(),
        false
    ));
}

#[test]
fn an_alert_that_names_no_source_of_either_configuration_is_for_a_sync_to_judge() {
    let mut after = settings();
    after.alert_sources = set(&["XDR IOC"]);
    let alert = |source: Value| {
        entry(json!({"alert_id": "1", "resolution_status": "New", "source": source}).to_string())
    };
    let clear = [alert(json!("xdr bioc")), alert(json!("XDR IOC"))];
    let sifting = sifted(&settings(), &after, DataStream::Alerts, &clear);
    assert_eq!(left_out(&sifting), [Some("alertSources"), None]);
    assert!(!sifting.may_add);
    for source in [json!("Another"), json!(null), json!(7)] {
        let sifting = sifted(&settings(), &after, DataStream::Alerts, &[alert(source)]);
        assert_eq!(left_out(&sifting), [None]);
        assert!(sifting.may_add);
    }
}

#[test]
fn a_configuration_or_a_stream_that_can_not_be_read_is_a_fault() {
    let good = settings().to_config();
    for (before, after, stream) in [
        (&b"{}"[..], good.as_slice(), "alerts"),
        (&good, b"[", "alerts"),
        (&good, &good, "users"),
    ] {
        let fault = sift(before, after, stream, &[]).unwrap_err();
        assert!(matches!(fault.cause, Cause::Other(_)), "{fault:?}");
        assert!(!fault.remedy.is_empty());
    }
}
