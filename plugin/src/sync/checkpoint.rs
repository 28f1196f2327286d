//! Checkpoints: where a read stands, as JSON that another build of the connector may have to read.

use crate::contract::Fault;
use crate::contract::types::Cause;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version that this build writes. A change of meaning gets the next number, and a migration of the older one.
const VERSION: u32 = 1;

/// What stands around every stream's own state.
#[derive(Serialize, Deserialize)]
struct Envelope<S> {
    version: u32,
    /// The data stream's name.
    stream: String,
    /// All that narrows the read; another one means that the pages before and after would not fit together.
    scope: String,
    state: S,
}

/// A state as a checkpoint.
pub(super) fn written<S: Serialize>(
    stream: &str,
    scope: &str,
    state: &S,
) -> Result<Vec<u8>, Fault> {
    let envelope = Envelope {
        version: VERSION,
        stream: stream.to_owned(),
        scope: scope.to_owned(),
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

/// The state in a checkpoint.
pub(super) fn read<S: DeserializeOwned>(
    stream: &str,
    scope: &str,
    bytes: &[u8],
) -> Result<S, Fault> {
    let unreadable = |error| unusable(format!("it can't be read: {error}"));
    // By way of a JSON value: parsers of the states' own types would be more code.
    let json: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    // Only as much as tells whether the rest can be understood.
    match json.get("version") {
        Some(version) if *version == VERSION => {}
        version => {
            let version = version.unwrap_or(&Value::Null);
            return Err(unusable(format!(
                "it has version {version}, this build of the connector knows version {VERSION}"
            )));
        }
    }
    let envelope: Envelope<S> = serde_json::from_value(json).map_err(unreadable)?;
    if envelope.stream != stream {
        return Err(unusable(format!(
            "it is of the data stream \"{}\"",
            envelope.stream
        )));
    }
    if envelope.scope != scope {
        return Err(unusable(
            "the configuration narrows the data differently since".to_owned(),
        ));
    }
    Ok(envelope.state)
}

fn unusable(why: String) -> Fault {
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

    #[test]
    fn what_was_written_is_read_and_anything_else_is_a_fault_for_the_checkpoint() {
        let bytes = written("alerts", "all", &7_u32).unwrap();
        assert_eq!(read::<u32>("alerts", "all", &bytes).unwrap(), 7);
        let newer =
            br#"{"version":2,"stream":"alerts","scope":"all","state":{"unheard":"of"}}"#.to_vec();
        for (stream, scope, bytes) in [
            ("endpoints", "all", bytes.clone()),
            ("alerts", "some", bytes.clone()),
            ("alerts", "all", newer),
            ("alerts", "all", b"{".to_vec()),
            ("alerts", "all", b"null".to_vec()),
            (
                "alerts",
                "all",
                br#"{"version":1,"stream":"alerts","scope":"all","state":"x"}"#.to_vec(),
            ),
        ] {
            let fault = read::<u32>(stream, scope, &bytes).unwrap_err();
            assert!(
                matches!(fault.cause, Cause::Checkpoint),
                "{}",
                fault.message
            );
        }
    }
}
