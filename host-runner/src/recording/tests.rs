//! The format: what is written is read back, whatever is read is no panic.

use super::event::{Asked, FORMAT, Holding, Refusal, VERSION};
use super::*;
use crate::domain::{DataStreamName, Ledger, Mode, RunId, RunState, Timestamp};
use crate::store::{ComponentRef, Unseen, Verdict};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

fn header() -> Header {
    Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        runner: "host-runner test".to_owned(),
        contract: "0.1.0".to_owned(),
        component: ComponentRef {
            name: "test".to_owned(),
            version: "1.0.0".to_owned(),
            sha256: "0".repeat(64),
        },
        started_at: Timestamp::EPOCH,
        anonymised: false,
        connection: Setup {
            name: "xdr".to_owned(),
            config: json!({"baseUrl": "https://api.example.com"}),
            data_streams: vec![DataStreamName::new("endpoints").unwrap()],
            scope: Vec::new(),
            target: "safe".to_owned(),
            model: json!({}),
            maps: BTreeMap::new(),
            update_existing_assets: true,
            auto_onboard_assets: false,
            leave_out_users: false,
        },
        limits: BTreeMap::from([("memory".to_owned(), 64)]),
    }
}

fn bytes() -> impl Strategy<Value = Payload> {
    proptest::collection::vec(any::<u8>(), 0..60).prop_map(Payload)
}

fn event() -> impl Strategy<Value = Event> {
    let text = ".{0,30}";
    prop_oneof![
        any::<u64>().prop_map(|ms| Event::Now { ms }),
        (any::<u64>(), text, bytes(), any::<bool>()).prop_map(|(id, path, body, repeatable)| {
            let request = Asked {
                origin: "api".to_owned(),
                method: "POST".to_owned(),
                path: path.clone(),
                query: vec![(path.clone(), path)],
                headers: vec![("authorization".to_owned(), "{secret:apiKey}".to_owned())],
                body,
                repeatable,
            };
            Event::Request { id, request }
        }),
        (any::<u64>(), any::<u16>(), text).prop_map(|(id, status, value)| Event::Reply {
            id,
            status,
            headers: vec![("content-type".to_owned(), value)],
            attempts: Some(2),
        }),
        (any::<u64>(), bytes()).prop_map(|(id, body)| Event::Chunk { id, body }),
        (any::<u64>(), text).prop_map(|(id, text)| Event::Failure {
            id,
            failure: Refusal::Connect(text)
        }),
        any::<u64>().prop_map(|id| Event::Failure {
            id,
            failure: Refusal::Timeout
        }),
        (any::<u64>(), text).prop_map(|(id, key)| Event::Held {
            id,
            records: vec![Holding {
                key,
                checked: id,
                fingerprint: "f".to_owned()
            }],
            error: None,
        }),
        bytes().prop_map(|checkpoint| Event::Sync {
            sync: crate::domain::SyncId(7),
            checkpoint: Some(checkpoint),
            started_at: Timestamp::EPOCH,
            resumed: true,
            scope_changed: false,
            ledger: Ledger::default(),
        }),
        text.prop_map(|reason| Event::Run {
            run: RunId(1),
            mode: Mode::Full,
            reason,
            now: Timestamp::EPOCH
        }),
        any::<u64>().prop_map(|removed| Event::Ended {
            coverage: "c".to_owned(),
            verdict: Verdict::Complete {
                removed,
                unseen: Unseen::Gone
            },
            ledger: Ledger::default(),
        }),
        text.prop_map(|warning| Event::Finish {
            state: RunState::Failed,
            now: Timestamp::EPOCH,
            calls: json!({}),
            fault: Some(json!({"message": warning})),
            warnings: vec![warning],
            peak_memory: None,
            details: json!(null),
        }),
    ]
}

fn written(events: &[Event], name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let target = Target {
        path: folder.path().join(name),
        force: false,
    };
    let writer = Writer::create(&target, &header(), &|_| None).unwrap();
    for event in events {
        writer.write(event, &|_| None);
    }
    writer.close().unwrap();
    std::fs::read(&target.path).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(events in proptest::collection::vec(event(), 0..8), packed in any::<bool>()) {
        let bytes = written(&events, if packed { "a.zst" } else { "a" });
        let (read, mut back, cut) = parse(&bytes).unwrap();
        prop_assert_eq!(read, header());
        prop_assert!(!cut);
        prop_assert_eq!(back.pop(), Some(Event::Closed { blanked: 0 }));
        prop_assert_eq!(back, events);
    }

    #[test]
    fn wherever_it_is_cut_off_what_is_there_is_read_and_the_rest_is_missed(
        events in proptest::collection::vec(event(), 1..6), share in 0.0..1.0_f64, packed in any::<bool>(),
    ) {
        let bytes = written(&events, if packed { "a.zst" } else { "a" });
        let keep = ((bytes.len() - 1) as f64 * share) as usize;
        match parse(&bytes[..keep]) {
            Ok((_, back, cut)) => {
                prop_assert!(cut);
                prop_assert_eq!(&events[..back.len()], &back[..]);
            }
            Err(error) => prop_assert!(matches!(error, RecordingError::Other(_)), "{error}"),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_lines_behind_a_header_are_read_or_refused(text in ".{0,200}", at in 0..40_usize) {
        let mut bytes = serde_json::to_vec(&header()).unwrap();
        bytes.push(b'\n');
        let mut line = serde_json::to_string(&Event::Now { ms: 1 }).unwrap();
        if line.is_char_boundary(at.min(line.len())) {
            line.insert_str(at.min(line.len()), &text);
        }
        bytes.extend(line.into_bytes());
        bytes.push(b'\n');
        let _ = parse(&bytes);
    }
}

#[test]
fn a_line_that_can_not_be_read_is_named_and_a_deep_one_does_no_harm() {
    let mut bytes = serde_json::to_vec(&header()).unwrap();
    bytes.push(b'\n');
    bytes.extend(br#"{"event":"now","ms":1}"#);
    bytes.push(b'\n');
    bytes
        .extend(format!("{{\"event\":\"finish\",\"details\":{}", "[".repeat(200_000)).into_bytes());
    bytes.push(b'\n');
    let error = parse(&bytes).unwrap_err();
    assert!(
        matches!(error, RecordingError::Line { line: 3, .. }),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_recording_is_for_its_user_alone_and_is_not_written_through_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "kept").unwrap();
    let path = folder.path().join("recording");
    symlink(&elsewhere, &path).unwrap();
    let mut target = Target { path, force: false };
    let refused = Writer::create(&target, &header(), &|_| None);
    assert!(matches!(refused, Err(RecordingError::Exists(_))));
    target.force = true;
    Writer::create(&target, &header(), &|_| None)
        .unwrap()
        .close()
        .unwrap();
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "kept");
    let mode = std::fs::symlink_metadata(&target.path)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
