//! What a component answers to questions that no sync asks, checked before anyone acts on it: keys are keys, JSON is JSON, there are as many answers as
//! questions, and what a person reads is no longer than that. The errors say how the contract was broken.

use super::limits::Limits;
use crate::contract::connector::{Sifted, Sifting, Trace};
use crate::contract::types::{Fault, Problem};
use crate::domain::cut_line;
use serde_json::Value;
use std::collections::BTreeSet;

/// The longest key and name of a filter, in bytes.
const LONGEST_KEY: usize = 1_024;
/// The longest pointer, path or text for a person, in characters.
const LONGEST_TEXT: usize = 2_000;

/// What `explain` told.
pub(super) fn traces(
    told: Result<Vec<Trace>, Problem>,
) -> Result<Result<Vec<Trace>, Problem>, String> {
    let mut traces = match told {
        Ok(traces) => traces,
        Err(mut problem) => {
            cut_line(&mut problem.pointer, LONGEST_TEXT);
            cut_line(&mut problem.message, LONGEST_TEXT);
            return Ok(Err(problem));
        }
    };
    for trace in &mut traces {
        key(&trace.key, "a trace", "key")?;
        for origin in &mut trace.origins {
            cut_line(&mut origin.target, LONGEST_TEXT);
            cut_line(&mut origin.rule, LONGEST_TEXT);
            for source in &mut origin.sources {
                cut_line(source, LONGEST_TEXT);
            }
        }
    }
    Ok(Ok(traces))
}

/// What `reads` told.
pub(super) fn paths(told: Vec<String>) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for mut path in told {
        cut_line(&mut path, LONGEST_TEXT);
        if !path.is_empty() {
            paths.insert(path);
        }
    }
    paths.into_iter().collect()
}

/// What `sift` told of so many entries.
pub(super) fn sifting(
    told: Result<Sifting, Fault>,
    entries: usize,
    limits: &Limits,
) -> Result<Result<Sifting, Fault>, String> {
    let mut sifting = match told {
        Ok(sifting) => sifting,
        Err(mut fault) => {
            for text in [&mut fault.call, &mut fault.message, &mut fault.remedy] {
                cut_line(text, LONGEST_TEXT);
            }
            return Ok(Err(fault));
        }
    };
    if sifting.entries.len() != entries {
        return Err(format!(
            "it told of {} entries and was asked about {entries}",
            sifting.entries.len()
        ));
    }
    for sifted in &mut sifting.entries {
        match sifted {
            Sifted::Stays => {}
            Sifted::Leaves(filter) => {
                key(filter, "a filter", "name")?;
                cut_line(filter, LONGEST_KEY);
            }
            Sifted::Changes(record) => {
                if record.len() as u64 > limits.record_mib.saturating_mul(1 << 20) {
                    return Err(format!(
                        "a changed record has {} bytes, and one has at most {} MiB",
                        record.len(),
                        limits.record_mib
                    ));
                }
                serde_json::from_slice::<Value>(record)
                    .map_err(|error| format!("a changed record can't be read: {error}"))?;
            }
        }
    }
    Ok(Ok(sifting))
}

fn key(key: &str, whose: &str, what: &str) -> Result<(), String> {
    if key.is_empty() || key.len() > LONGEST_KEY || key.contains('\0') {
        return Err(format!(
            "it gave {whose} a {what} of {} bytes; a {what} has 1 to {LONGEST_KEY}, none of them NUL",
            key.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::connector::{DocumentKind, Origin};

    fn trace(key: &str, target: String) -> Trace {
        Trace {
            kind: DocumentKind::Asset,
            key: key.to_owned(),
            origins: vec![Origin {
                target,
                rule: "/rules/0".to_owned(),
                sources: vec!["/a\u{1b}b".to_owned()],
            }],
        }
    }

    #[test]
    fn pointers_are_cut_to_a_line_and_a_trace_without_a_key_is_refused() {
        let told = traces(Ok(vec![trace("k", "/x".repeat(5_000))]))
            .unwrap()
            .unwrap();
        let origin = &told[0].origins[0];
        assert_eq!(origin.target.chars().count(), LONGEST_TEXT + 1);
        assert_eq!(origin.sources, ["/a b"]);
        for key in ["", "a\0", &"k".repeat(2_000)] {
            assert!(traces(Ok(vec![trace(key, String::new())])).is_err());
        }
        let problem = Problem {
            pointer: String::new(),
            message: "no\nJSON".to_owned(),
        };
        let told = traces(Err(problem)).unwrap().unwrap_err();
        assert_eq!(told.message, "no JSON");
    }

    #[test]
    fn paths_are_told_once() {
        let told = ["b", "", "a", "b"].map(str::to_owned).to_vec();
        assert_eq!(paths(told), ["a", "b"]);
    }

    #[test]
    fn a_sifting_tells_of_each_entry_and_its_records_are_json() {
        let check = |entries: Vec<Sifted>| {
            let told = Sifting {
                entries,
                may_add: true,
            };
            sifting(Ok(told), 1, &Limits::default())
        };
        let sound = check(vec![Sifted::Leaves("tags".into())]).unwrap().unwrap();
        assert!(sound.may_add);
        assert!(check(vec![Sifted::Changes(b"{}".to_vec())]).is_ok());
        for broken in [
            vec![],
            vec![Sifted::Stays, Sifted::Stays],
            vec![Sifted::Leaves(String::new())],
            vec![Sifted::Leaves("a\0".to_owned())],
            vec![Sifted::Changes(b"{".to_vec())],
            vec![Sifted::Changes([b'['; 100_000].to_vec())],
            vec![Sifted::Changes(vec![b' '; 9 << 20])],
        ] {
            assert!(check(broken).is_err());
        }
    }
}
