//! Whatever the API answers, to each of the connector's verbs.

use crate::parts;
use crate::platform::{Scripted, block_on};
use cortex_xdr::configure::Settings;
use cortex_xdr::contract::{Mode, Progress, SyncRequest};
use cortex_xdr::{check, survey, sync};
use serde_json::{Value, json};

/// Statuses that the API gives, and some that it should not.
const STATUSES: [u16; 16] = [
    200, 200, 200, 200, 200, 200, 204, 301, 400, 401, 402, 403, 404, 429, 500, 503,
];

/// How many steps of a sync are made.
const STEPS: usize = 64;

/// The first byte chooses the verb; each part is an answer, whose first byte chooses the status.
pub fn replies(data: &[u8]) {
    let Some((verb, answers)) = data.split_first() else {
        return;
    };
    let answers: Vec<(u16, Vec<u8>)> = parts(answers)
        .map(|part| {
            let (status, body) = part.split_first().map_or((0, &[][..]), |(s, body)| (*s, body));
            let status = STATUSES[usize::from(status) % STATUSES.len()];
            (status, body.to_vec())
        })
        .collect();
    let mut answers = answers.into_iter();
    let host = Scripted::new(move |_| answers.next());
    match verb % 6 {
        0 => {
            let config = config().to_string();
            if let Ok(settings) = Settings::from_config(config.as_bytes()) {
                for check in block_on(check::check(&host, &settings)) {
                    assert!(!check.name.is_empty());
                }
            }
        }
        1 => {
            for spot in block_on(survey::survey(host, config().to_string().as_bytes(), 30)) {
                assert!(!spot.name.is_empty());
            }
        }
        2 => read(host, "endpoints", Mode::Full),
        3 => read(host, "endpoints", Mode::Incremental),
        4 => read(host, "alerts", Mode::Full),
        _ => read(host, "vulnerabilities", Mode::Full),
    }
}

fn config() -> Value {
    json!({
        "baseUrl": "https://api-example.xdr.us.paloaltonetworks.com",
        "apiKeyId": "7",
        "dataStreams": ["endpoints", "alerts", "vulnerabilities"],
        "tags": ["a tag"],
    })
}

/// Reads a data stream for some steps, and asks of each what the contract promises.
pub fn read(host: Scripted, data_stream: &str, mode: Mode) {
    let request = SyncRequest {
        config: config().to_string().into_bytes(),
        data_stream: data_stream.to_owned(),
        mode,
        checkpoint: None,
    };
    let Ok(reading) = block_on(sync::sync(host, request)) else {
        return;
    };
    for _ in 0..STEPS {
        match block_on(reading.next()) {
            Ok(Progress::Step(step)) => {
                json_of(&step.checkpoint);
                for entry in &step.entries {
                    assert!(!entry.key.is_empty() && !entry.fingerprint.is_empty());
                    assert!(json_of(&entry.body).is_object());
                }
                for closure in &step.closures {
                    assert!(!closure.key.is_empty());
                }
                for quarantined in &step.quarantine {
                    assert!(!quarantined.problems.is_empty());
                }
            }
            Ok(Progress::End(summary)) => {
                json_of(&summary.checkpoint);
                return;
            }
            Err(fault) => {
                assert!(!fault.message.is_empty());
                return;
            }
        }
    }
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("no JSON is handed over: {error}"))
}
