//! What it gives: records that it makes up, and results that are too large or break their own contract.

use crate::contract::types::Cause;
use crate::contract::{
    Closing, Closure, Configuration, Coverage, Document, DocumentKind, Entry, Fault, Lifecycle,
    Origin, Outcome, Placeholder, Policy, Problem, Progress, Sifted, Sifting, Slice, Step, Summary,
    Trace,
};
use crate::describing::deep;
use crate::order::{Attack, Order, Verb};
use serde_json::json;

/// A text that drives a terminal, longer than anyone reads.
fn book() -> String {
    "\u{1b}]0;owned\u{7}\u{1b}[2J\nERROR forged ".repeat(100_000)
}

/// The completed configuration: what was typed.
pub(crate) fn configuration(order: &Order, typed: Vec<u8>) -> Configuration {
    let mut made = Configuration {
        config: typed,
        origins: vec![("api".to_owned(), order.base_url.clone())],
        secrets: vec!["apiKey".to_owned()],
        data_streams: vec!["things".to_owned()],
        policy: Policy {
            update_existing_assets: Some(true),
            auto_onboard_assets: Some(true),
            full_sync_every_days: None,
        },
        warnings: Vec::new(),
        scope: Vec::new(),
    };
    match order.attack {
        Attack::DeepConfig => made.config = deep(100_000),
        Attack::WideConfig => {
            made.config = vec![b'['];
            made.config.extend(b"0,".repeat(1 << 20));
            made.config.extend(b"0]");
        }
        Attack::OriginUncovered => {
            made.origins = vec![("api".to_owned(), "https://evil.example.com".to_owned())];
        }
        Attack::OriginUnknown => made
            .origins
            .push(("other".to_owned(), order.base_url.clone())),
        Attack::SecretUnknown => made.secrets.push("masterKey".to_owned()),
        Attack::StreamUnknown => made.data_streams.push("users".to_owned()),
        _ => {}
    }
    made
}

/// The n-th step of a sync that behaves.
pub(crate) fn step(order: &Order, n: u64) -> Step {
    Step {
        entries: (0..order.records)
            .map(|i| entry(order, &format!("{}{n}-{i}", order.prefix)))
            .collect(),
        closures: Vec::new(),
        quarantine: Vec::new(),
        confirmed: Vec::new(),
        skipped: Vec::new(),
        checkpoint: json!({ "step": n + 1 }).to_string().into_bytes(),
        read: (n + 1) * order.records,
        expected: None,
        note: None,
    }
}

/// A record. Its body tells `apply` what to do.
fn entry(order: &Order, key: &str) -> Entry {
    Entry {
        key: key.to_owned(),
        fingerprint: "1".to_owned(),
        seen_at: None,
        partial: false,
        body: serde_json::to_vec(order).unwrap_or_default(),
    }
}

fn closure(key: &str, at: Option<u64>) -> Closure {
    Closure {
        key: key.to_owned(),
        closing: Closing::Deleted,
        evidence: String::new(),
        at,
    }
}

/// The n-th thing that `next` gives, if it comes to that.
pub(crate) fn progress(order: &Order, n: u64) -> Result<Progress, Fault> {
    let mut step = step(order, n);
    if order.at != Verb::Next {
        return Ok(behaved(order, n, step));
    }
    match order.attack {
        Attack::IdleSteps => {
            step.entries.clear();
            step.checkpoint = b"{}".to_vec();
        }
        Attack::EndlessSteps => {}
        Attack::TooManyRecords => {
            step.confirmed = (0..20_001).map(|i| format!("c{i}")).collect();
        }
        Attack::GiantStep => {
            step.confirmed = told_often("x".repeat(10 << 20), 10);
        }
        Attack::GiantList => step.confirmed = vec![String::new(); 3_000_000],
        Attack::GiantRecord => {
            step.entries.push(Entry {
                body: json!("x".repeat(12 << 20)).to_string().into_bytes(),
                ..entry(order, "giant")
            });
        }
        Attack::GiantCheckpoint => {
            step.checkpoint = json!("x".repeat(2 << 20)).to_string().into_bytes();
        }
        Attack::GiantFault => {
            return Err(Fault {
                cause: Cause::Other(book()),
                call: book(),
                status: None,
                message: book(),
                remedy: book(),
            });
        }
        Attack::GiantEnd => {
            if n > order.after {
                return Ok(Progress::End(Summary {
                    checkpoint: step.checkpoint,
                    read: 0,
                    coverage: Coverage::Incomplete(vec![book(); 5]),
                }));
            }
            step.note = Some(book());
        }
        Attack::DeepRecord => first_body(&mut step, deep(100_000)),
        Attack::BrokenRecord => first_body(&mut step, b"{".to_vec()),
        Attack::DeepCheckpoint => step.checkpoint = deep(100_000),
        Attack::BrokenCheckpoint => step.checkpoint = b"{".to_vec(),
        Attack::KeyTwice => {
            let mut again = entry(order, "k0-0");
            again.fingerprint = "2".to_owned();
            step.entries = vec![entry(order, "k0-0"), again];
        }
        Attack::KeysAgain => {
            step.entries = vec![entry(order, "k0-0"), entry(order, "k0-1")];
            return Ok(behaved(order, n, step));
        }
        Attack::KeyEmpty => step.entries.push(entry(order, "")),
        Attack::KeyLong => step.entries.push(entry(order, &"k".repeat(100_000))),
        Attack::KeyNul => step.entries.push(entry(order, "k\0ey")),
        Attack::TextBroken => {
            // SAFETY: none, which is the point: the host must not take its word for it.
            let broken = unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe]) };
            step.confirmed.push(broken);
        }
        Attack::ListBeyond => {
            let end = core::arch::wasm32::memory_size(0) << 16;
            // SAFETY: none, which is the point. It is not read here.
            let beyond = unsafe { Vec::from_raw_parts((end - 16) as *mut u8, 1 << 20, 1 << 20) };
            step.entries.push(Entry {
                body: beyond,
                ..entry(order, "beyond")
            });
        }
        Attack::SeenLate => step.entries.push(Entry {
            // The year 10000 begins here.
            seen_at: Some(253_402_300_800_000),
            ..entry(order, "late")
        }),
        Attack::ClosedLate => step.closures.push(closure("k0-0", Some(u64::MAX))),
        Attack::Overflow => {
            step.skipped = vec![("a".to_owned(), u64::MAX), ("a".to_owned(), u64::MAX)];
        }
        Attack::FilterNames => {
            step.skipped = (0..200).map(|i| (format!("filter {n} {i}"), 1)).collect();
        }
        Attack::ConfirmUnheld => step.confirmed = vec!["never-held".to_owned()],
        Attack::CloseUnheld => {
            step.closures = vec![closure(&order.key, None)];
        }
        _ => return Ok(behaved(order, n, step)),
    }
    // Where nobody objects to the step, the sync comes to its end.
    Ok(match order.attack {
        Attack::IdleSteps | Attack::EndlessSteps | Attack::FilterNames => Progress::Step(step),
        _ => once(order, n, step),
    })
}

/// One text, told so many times: in here it takes its own length, for the host it would take all of them.
pub(crate) fn told_often(text: String, times: usize) -> Vec<String> {
    let text = text.leak();
    let copies = (0..times).map(|_| {
        // SAFETY: none of them is to be used after the call that tells them: the host ends it.
        unsafe { String::from_raw_parts(text.as_mut_ptr(), text.len(), text.len()) }
    });
    copies.collect()
}

fn first_body(step: &mut Step, body: Vec<u8>) {
    if let Some(entry) = step.entries.first_mut() {
        entry.body = body;
    }
}

/// The step while there are some to come, and then the end.
fn behaved(order: &Order, n: u64, step: Step) -> Progress {
    if n < order.steps {
        Progress::Step(step)
    } else {
        end(step.checkpoint)
    }
}

/// The step, and then the end.
fn once(order: &Order, n: u64, step: Step) -> Progress {
    if n == order.after {
        Progress::Step(step)
    } else {
        end(step.checkpoint)
    }
}

fn end(checkpoint: Vec<u8>) -> Progress {
    Progress::End(Summary {
        checkpoint,
        read: 0,
        coverage: Coverage::Complete(vec![Slice {
            name: "all".to_owned(),
            read: 0,
            said: None,
            ended_short: true,
            second_look: true,
        }]),
    })
}

/// What `apply` gives.
pub(crate) fn outcomes(order: &Order, entries: Vec<Entry>) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = entries.iter().map(|entry| outcome(order, entry)).collect();
    match order.attack {
        Attack::MoreOutcomes => outcomes.extend(entries.first().map(|entry| outcome(order, entry))),
        Attack::FewerOutcomes => {
            outcomes.pop();
        }
        _ => {}
    }
    outcomes
}

fn outcome(order: &Order, entry: &Entry) -> Outcome {
    let mut asset = document(DocumentKind::Asset, &entry.key);
    let mut finding = document(DocumentKind::Finding, &entry.key);
    finding.asset = Some(entry.key.clone());
    match order.attack {
        Attack::GiantDocument => {
            asset.body = json!({ "name": "x".repeat(9 << 20) })
                .to_string()
                .into_bytes();
        }
        Attack::DeepDocument => asset.body = deep(100_000),
        Attack::BrokenDocument => asset.body = b"{".to_vec(),
        Attack::FindingNoKey => finding.key.clear(),
        Attack::FindingElsewhere => finding.asset = Some(order.key.clone()),
        Attack::AssetElsewhere => {
            asset.key.clone_from(&order.key);
            asset.identity = vec![("external-id".to_owned(), "mallory's".to_owned())];
        }
        Attack::PlaceholderNowhere => {
            asset.placeholders = ["", "nowhere", "/no/such/place", "/name/0", "/~2"]
                .into_iter()
                .map(|pointer| Placeholder {
                    pointer: pointer.to_owned(),
                    value: Lifecycle::FirstSeen,
                    format: "no such format".to_owned(),
                })
                .collect();
        }
        _ => {}
    }
    Outcome {
        documents: vec![asset, finding],
        problems: Vec::<Problem>::new(),
    }
}

/// What `explain` gives.
pub(crate) fn traces(order: &Order) -> Vec<Trace> {
    let mut trace = Trace {
        kind: DocumentKind::Asset,
        key: "k".to_owned(),
        origins: vec![Origin {
            target: "/name".to_owned(),
            rule: "/rules/0".to_owned(),
            sources: vec!["/name".to_owned()],
        }],
    };
    match order.attack {
        Attack::KeyEmpty => trace.key.clear(),
        Attack::KeyNul => trace.key.push('\0'),
        Attack::GiantFault => {
            trace.origins = vec![Origin {
                target: book(),
                rule: book(),
                sources: vec![book()],
            }];
        }
        _ => {}
    }
    vec![trace]
}

/// What `reads` gives: a path twice, one that is empty, and one that drives a terminal.
pub(crate) fn reads() -> Vec<String> {
    vec!["name".to_owned(), "name".to_owned(), String::new(), book()]
}

/// What `sift` gives.
pub(crate) fn sifting(order: &Order, entries: usize) -> Sifting {
    let entries = match order.attack {
        Attack::MoreOutcomes => entries + 1,
        Attack::FewerOutcomes => entries.saturating_sub(1),
        _ => entries,
    };
    let sifted = || match order.attack {
        Attack::BrokenRecord => Sifted::Changes(b"{".to_vec()),
        Attack::DeepRecord => Sifted::Changes(deep(100_000)),
        Attack::GiantRecord => Sifted::Changes(vec![b' '; 9 << 20]),
        Attack::KeyNul => Sifted::Leaves("fil\0ter".to_owned()),
        _ => Sifted::Stays,
    };
    Sifting {
        entries: (0..entries).map(|_| sifted()).collect(),
        may_add: false,
    }
}

fn document(kind: DocumentKind, key: &str) -> Document {
    Document {
        kind,
        key: key.to_owned(),
        asset: None,
        identity: vec![("external-id".to_owned(), key.to_owned())],
        facets: Vec::new(),
        placeholders: Vec::new(),
        body: json!({ "externalId": key, "name": key })
            .to_string()
            .into_bytes(),
    }
}
