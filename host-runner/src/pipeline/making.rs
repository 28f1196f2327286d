//! What documents are made with, beside the record.

use super::report::SyncError;
use crate::component::DataStream;
use crate::domain::{DataStreamName, sha256_hex};
use crate::engine::Plugin;
use crate::personal::LeaveOut;
use crate::store::{Connection, StoredMap, Switches};
use serde_json::Value;

/// What documents are made with.
pub(super) struct Made {
    pub(super) map: StoredMap,
    pub(super) custom_fields: Vec<String>,
    /// Leaves users out of the records, where the connection is set up so.
    pub(super) leave_out: Option<LeaveOut>,
    /// All of it, as a hash.
    pub(super) with: String,
}

impl Made {
    pub(super) fn of(
        connection: &Connection,
        plugin: &Plugin,
        switches: Switches,
        declared: &DataStream,
        stream: &DataStreamName,
        custom_fields: Vec<String>,
    ) -> Result<Self, SyncError> {
        let map = connection.maps.get(stream).cloned().ok_or_else(|| {
            SyncError::Mode(format!(
                "the connection `{}` has no map for `{stream}`: give it one with `update --map`",
                connection.name
            ))
        })?;
        let with = making(
            &map,
            plugin.sha256(),
            switches,
            &custom_fields,
            connection.leave_out_users,
        );
        Ok(Self {
            map,
            custom_fields,
            leave_out: connection
                .leave_out_users
                .then(|| LeaveOut::of(&declared.schema)),
            with,
        })
    }
}

/// The parts of a making, in the order of its text.
const PARTS: [Part; 5] = [
    Part::Map,
    Part::Component,
    Part::Switches,
    Part::CustomFields,
    Part::Users,
];

/// What documents depend on besides the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The map.
    Map,
    /// The connector's build.
    Component,
    /// Whose asset it is.
    Switches,
    /// The platform's custom fields.
    CustomFields,
    /// Whether users are left out.
    Users,
}

impl Part {
    /// In words for a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Map => "the map",
            Self::Component => "the connector's build",
            Self::Switches => "a switch",
            Self::CustomFields => "a custom field",
            Self::Users => "whether users are left out",
        }
    }
}

/// A text of all that documents depend on besides the record: where it changes, they are made anew. It has a part for each thing that they depend on,
/// so that what changed can be told.
pub fn making(
    map: &StoredMap,
    component: &str,
    switches: Switches,
    custom_fields: &[String],
    leave_out_users: bool,
) -> String {
    let digit = |on: bool| if on { '1' } else { '0' };
    format!(
        "{}-{}-{}{}-{}-{}",
        short(&map.hash),
        short(component),
        digit(switches.update_existing_assets),
        digit(switches.auto_onboard_assets),
        short(&sha256_hex(
            Value::from(custom_fields).to_string().as_bytes()
        )),
        digit(leave_out_users),
    )
}

/// Enough of a hash to tell one from the other, and none of the characters that separate parts.
fn short(hash: &str) -> String {
    hash.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect()
}

/// The parts in which two makings differ; all of them where one is not known, or was written otherwise by an earlier build.
pub fn differences(one: &str, other: &str) -> Vec<Part> {
    let (one, other): (Vec<&str>, Vec<&str>) =
        (one.split('-').collect(), other.split('-').collect());
    let known = one.len() == PARTS.len() && other.len() == PARTS.len();
    PARTS
        .into_iter()
        .zip(one.iter().zip(&other))
        .filter(|(_, (one, other))| one != other)
        .map(|(part, _)| part)
        .filter(|_| known)
        .chain(PARTS.into_iter().filter(|_| !known && one != other))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MapOrigin;

    fn map(hash: &str) -> StoredMap {
        StoredMap {
            name: "m".into(),
            version: None,
            hash: hash.into(),
            body: "{}".into(),
            origin: MapOrigin::Bundled,
        }
    }

    fn switches(update: bool, onboard: bool) -> Switches {
        Switches {
            update_existing_assets: update,
            auto_onboard_assets: onboard,
        }
    }

    #[test]
    fn a_making_tells_in_what_it_differs_from_another() {
        let fields = ["tags".to_owned()];
        let one = making(&map("aa"), "c1", switches(true, true), &[], false);
        for (other, parts) in [
            (
                making(&map("aa"), "c1", switches(true, true), &[], false),
                vec![],
            ),
            (
                making(&map("bb"), "c1", switches(true, true), &[], false),
                vec![Part::Map],
            ),
            (
                making(&map("aa"), "c2", switches(true, true), &[], false),
                vec![Part::Component],
            ),
            (
                making(&map("aa"), "c1", switches(true, false), &[], false),
                vec![Part::Switches],
            ),
            (
                making(&map("aa"), "c1", switches(false, true), &[], false),
                vec![Part::Switches],
            ),
            (
                making(&map("aa"), "c1", switches(true, true), &fields, false),
                vec![Part::CustomFields],
            ),
            (
                making(&map("bb"), "c1", switches(true, true), &[], true),
                vec![Part::Map, Part::Users],
            ),
            ("0123456789abcdef".to_owned(), PARTS.to_vec()),
        ] {
            assert_eq!(differences(&one, &other), parts, "{one} {other}");
            assert_eq!(one == other, parts.is_empty());
        }
    }
}
