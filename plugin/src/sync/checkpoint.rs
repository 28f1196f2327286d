//! Checkpoints: where a read stands, as JSON that another build of the connector may have to read.

use crate::contract::types::Cause;
use crate::contract::{Fault, Mode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The version that this build writes. A change of meaning gets the next number, and a migration of the older one.
const VERSION: u32 = 2;

/// The last version that knew full reads only and did not tell whether a read had ended.
const ONLY_FULL: u32 = 1;

/// What stands around every stream's own state.
#[derive(Serialize)]
struct Envelope<'a, S> {
    version: u32,
    /// The data stream's name.
    stream: &'a str,
    /// All that narrows the read; another one means that the pages before and after would not fit together.
    scope: &'a str,
    /// "full" or "incremental".
    mode: &'a str,
    /// Whether the read came to its end: then it is where an incremental read begins, else where this one goes on.
    ended: bool,
    state: &'a S,
}

/// Which read a checkpoint is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    /// The data stream's name.
    pub stream: &'a str,
    /// All that narrows the read.
    pub scope: &'a str,
    pub mode: Mode,
}

/// What a read begins with.
#[derive(Debug, PartialEq)]
pub(super) enum Start<S> {
    /// A new read; the state at the end of an earlier one (or of one that is given up) says what is worth keeping.
    Anew(Option<S>),
    /// A read of this mode that has not ended.
    GoOn(S),
}

/// A state as a checkpoint.
pub(super) fn written<S: Serialize>(of: Of<'_>, ended: bool, state: &S) -> Result<Vec<u8>, Fault> {
    let envelope = Envelope {
        version: VERSION,
        stream: of.stream,
        scope: of.scope,
        mode: name(of.mode),
        ended,
        state,
    };
    serde_json::to_vec(&envelope).map_err(|error| {
        super::fault(
            "bug",
            format!("The checkpoint can't be written: {error}."),
            "Report this.",
        )
    })
}

/// What a read begins with, as the checkpoint that it is given tells.
pub(super) fn start<S: DeserializeOwned>(
    of: Of<'_>,
    bytes: Option<&[u8]>,
) -> Result<Start<S>, Fault> {
    let read = |state| serde_json::from_value(state).map_err(|error| unreadable(&error));
    Ok(match opened(of, bytes)? {
        Start::GoOn(state) => Start::GoOn(read(state)?),
        Start::Anew(state) => Start::Anew(state.map(read).transpose()?),
    })
}

/// [`start`] with the state as JSON, for a state that reads itself: derived parsers are several times as much code.
///
/// A full read goes on with a full one that has not ended, and begins anew with anything else. An incremental read begins where any
/// read ended, and goes on with an incremental one that has not; what a full read has still to do it can't do.
pub(super) fn opened(of: Of<'_>, bytes: Option<&[u8]>) -> Result<Start<Value>, Fault> {
    let incremental = matches!(of.mode, Mode::Incremental);
    let Some(bytes) = bytes else {
        return match of.mode {
            Mode::Full => Ok(Start::Anew(None)),
            Mode::Incremental => Err(unusable("there is none, and an incremental read needs one")),
        };
    };
    // By way of a JSON value: parsers of the states' own types would be more code.
    let mut json: Value = serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
    migrate(&mut json)?;
    let stream = text(&json, "stream");
    if stream != of.stream {
        return Err(unusable(&format!("it is of the data stream \"{stream}\"")));
    }
    if text(&json, "scope") != of.scope {
        return Err(unusable(
            "the configuration narrows the data differently since",
        ));
    }
    let ended = json.get("ended") == Some(&Value::Bool(true));
    let of_incremental = text(&json, "mode") == name(Mode::Incremental);
    if incremental && !of_incremental && !ended {
        return Err(unusable(
            "the full read that it is of has not ended, and an incremental one can't go on with it",
        ));
    }
    let state = json
        .get_mut("state")
        .map(Value::take)
        .unwrap_or(Value::Null);
    Ok(if ended || of_incremental != incremental {
        Start::Anew(Some(state))
    } else {
        Start::GoOn(state)
    })
}

/// Brings an older version into the form of this one.
fn migrate(json: &mut Value) -> Result<(), Fault> {
    let version = json.get("version").unwrap_or(&Value::Null);
    if *version == VERSION {
        return Ok(());
    }
    if *version != ONLY_FULL {
        return Err(unusable(&format!(
            "it has version {version}, this build of the connector knows versions {ONLY_FULL} to {VERSION}"
        )));
    }
    // Whether it had ended was told by the streams' own states: "ended" of what is listed, the count of rows of a query.
    let state = json.get("state").unwrap_or(&Value::Null);
    let ended = state.get("ended") == Some(&Value::Bool(true))
        || state.get("rows").is_some_and(|rows| !rows.is_null());
    if let Value::Object(fields) = json {
        fields.insert("mode".into(), name(Mode::Full).into());
        fields.insert("ended".into(), ended.into());
    }
    Ok(())
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Full => "full",
        Mode::Incremental => "incremental",
    }
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A checkpoint whose state does not read as one.
pub(super) fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    unusable(&format!("it can't be read: {error}"))
}

fn unusable(why: &str) -> Fault {
    Fault {
        cause: Cause::Checkpoint,
        call: String::new(),
        status: None,
        message: format!("The checkpoint can't be used: {why}."),
        remedy: "Nothing: the sync starts anew from the beginning.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Of<'_> = Of {
        stream: "alerts",
        scope: "all",
        mode: Mode::Full,
    };

    const INCREMENTAL: Of<'_> = Of {
        mode: Mode::Incremental,
        ..FULL
    };

    fn begun(of: Of<'_>, bytes: &[u8]) -> Option<Start<u32>> {
        match start(of, Some(bytes)) {
            Ok(start) => Some(start),
            Err(fault) => {
                assert!(
                    matches!(fault.cause, Cause::Checkpoint),
                    "{}",
                    fault.message
                );
                None
            }
        }
    }

    #[test]
    fn a_read_goes_on_with_one_of_its_mode_and_begins_anew_after_one_that_ended() {
        use Start::{Anew, GoOn};
        let checkpoint = |of, ended| written(of, ended, &7_u32).unwrap();
        for (written_by, ended, read_by, expected) in [
            (FULL, false, FULL, Some(GoOn(7))),
            (FULL, true, FULL, Some(Anew(Some(7)))),
            (INCREMENTAL, false, FULL, Some(Anew(Some(7)))),
            (INCREMENTAL, true, FULL, Some(Anew(Some(7)))),
            (FULL, false, INCREMENTAL, None),
            (FULL, true, INCREMENTAL, Some(Anew(Some(7)))),
            (INCREMENTAL, false, INCREMENTAL, Some(GoOn(7))),
            (INCREMENTAL, true, INCREMENTAL, Some(Anew(Some(7)))),
        ] {
            assert_eq!(
                begun(read_by, &checkpoint(written_by, ended)),
                expected,
                "{written_by:?} {ended} {read_by:?}"
            );
        }
    }

    #[test]
    fn without_a_checkpoint_only_a_full_read_can_begin() {
        assert_eq!(start::<u32>(FULL, None).unwrap(), Start::Anew(None));
        let fault = start::<u32>(INCREMENTAL, None).unwrap_err();
        assert!(matches!(fault.cause, Cause::Checkpoint));
    }

    #[test]
    fn what_is_not_of_this_read_is_a_fault_for_the_checkpoint() {
        let bytes = written(FULL, false, &7_u32).unwrap();
        for (of, bytes) in [
            (
                Of {
                    stream: "endpoints",
                    ..FULL
                },
                bytes.clone(),
            ),
            (
                Of {
                    scope: "some",
                    ..FULL
                },
                bytes.clone(),
            ),
            (
                FULL,
                br#"{"version":3,"stream":"alerts","scope":"all","state":{"unheard":"of"}}"#
                    .to_vec(),
            ),
            (FULL, br#"{"version":"2"}"#.to_vec()),
            (FULL, b"{".to_vec()),
            (FULL, b"null".to_vec()),
            (
                FULL,
                br#"{"version":2,"stream":"alerts","scope":"all","state":"x"}"#.to_vec(),
            ),
            (
                FULL,
                br#"{"version":2,"stream":"alerts","scope":"all"}"#.to_vec(),
            ),
        ] {
            assert_eq!(begun(of, &bytes), None);
        }
    }

    #[test]
    fn a_checkpoint_of_version_1_is_of_a_full_read_and_its_state_tells_whether_it_ended() {
        let first = |state: &str| {
            format!(r#"{{"version":1,"stream":"alerts","scope":"all","state":{state}}}"#)
                .into_bytes()
        };
        for (state, ended) in [
            (r#"{"ended":true}"#, true),
            (r#"{"ended":false}"#, false),
            (r#"{"rows":[3,null]}"#, true),
            (r#"{"rows":null}"#, false),
        ] {
            let full = start::<Value>(FULL, Some(&first(state))).unwrap();
            assert_eq!(matches!(full, Start::Anew(Some(_))), ended, "{state}");
            let incremental = start::<Value>(INCREMENTAL, Some(&first(state)));
            assert_eq!(incremental.is_ok(), ended, "{state}");
        }
    }
}
