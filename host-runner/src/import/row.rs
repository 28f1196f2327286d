//! What a row says of an asset.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::Timestamp;
use crate::identification::{Field, Identity};
use crate::store::ImportedAsset;

/// Names in a simple row: each field that identifies, and its values.
const FIELDS: [(&str, Field); 5] = [
    ("externalId", Field::ExternalId),
    ("hostName", Field::HostName),
    ("domain", Field::Domain),
    ("macAddresses", Field::Mac),
    ("ipAddresses", Field::Ip),
];

/// Further names of a simple row.
const ASSET: &str = "asset";
const FIRST_SEEN: &str = "firstSeen";

/// A number of milliseconds below this lies before March 1973: it is one of seconds.
const FIRST_MILLISECOND: u64 = 100_000_000_000;

const DAY_MS: u64 = 86_400_000;

/// How alike a name must be to one that is known, for that one to be meant.
const NEAR: f64 = 0.85;

/// The most names that a bad row's reason tells of.
const MOST_UNKNOWN: usize = 3;

/// Names of the envelope that `assets --json --history` prints, beside those below and [`FIRST_SEEN`]. They tell of the platform that it came from.
const OF_THE_PLATFORM: [&str; 4] = [
    "onboardingSource",
    "lastSeen",
    "inactiveSince",
    "outOfScopeSince",
];
const DOCUMENT: &str = "document";
const KEYS: &str = "keys";
const HOST: &str = "host";
const STATE: &str = "state";
const IDENTITY: &str = "identity";

/// A row that can be loaded, and what else stood in it.
#[derive(Debug, PartialEq)]
pub struct Parsed {
    /// What it says of an asset; none where it tells of one that its platform calls inactive or out of scope, which is no news.
    pub asset: Option<ImportedAsset>,
    /// Names that say nothing here.
    pub unknown: Vec<String>,
}

/// Why a row is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Larger than is taken.
    #[error("it is larger than {} MiB", super::LARGEST_ROW >> 20)]
    TooLarge,
    /// The list that begins with `[` has no end.
    #[error("the list ends without its closing bracket")]
    ListNotClosed,
    /// No JSON.
    #[error("it is no JSON: {0}")]
    NoJson(String),
    /// JSON, and no object.
    #[error("it is no JSON object")]
    NoObject,
    /// A value of a wrong type.
    #[error("\"{name}\" is no {expected}")]
    WrongType {
        /// Of what.
        name: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Nothing by which it could be known again.
    #[error(
        "nothing in it identifies an asset: it needs one of externalId, hostName, macAddresses and ipAddresses with a value that is no placeholder, \
         loopback, link-local or container address{0}"
    )]
    Nobody(
        /// Names in it that say nothing, each with the one that may be meant, as the end of the sentence.
        String,
    ),
    /// Without an external id, and known by what another row of the file is known by.
    #[error(
        "it has no externalId, and the row in line {line} is known by {by} too: it is not laid over that one; give both an externalId, or make them one row"
    )]
    Alike {
        /// Where the other row begins.
        line: u64,
        /// What both are known by.
        by: String,
    },
    /// Another row of the file has its external id, and says something else.
    #[error(
        "the row in line {line} has its externalId \"{id}\" and says something else: it is not laid over that one; make them one row, or correct the id"
    )]
    Again {
        /// Where the other row begins.
        line: u64,
        /// The id.
        id: String,
    },
}

impl RowError {
    /// Whether the row is not even JSON: then the file may be of another kind altogether.
    pub fn is_no_json(&self) -> bool {
        matches!(self, Self::NoJson(_))
    }
}

/// Reads a row: a simple one, or one as `assets --json --history` prints it, which has a `document`.
///
/// # Errors
/// [`RowError`], which says what is wrong with it.
pub fn parse(line: u64, text: &[u8], now: Timestamp) -> Result<Parsed, RowError> {
    let row: Value =
        serde_json::from_slice(text).map_err(|error| RowError::NoJson(error.to_string()))?;
    let Value::Object(row) = row else {
        return Err(RowError::NoObject);
    };
    if row.contains_key(DOCUMENT) {
        envelope(line, row, now)
    } else {
        simple(line, row, now)
    }
}

fn simple(line: u64, mut row: Map<String, Value>, now: Timestamp) -> Result<Parsed, RowError> {
    let pairs = identity(&mut row, "")?;
    let body = body(row.remove(ASSET), ASSET)?;
    let first_seen = first_seen(row.remove(FIRST_SEEN), now)?;
    let unknown: Vec<String> = row.into_iter().map(|(name, _)| name).collect();
    let asset = asset(line, pairs, None, body, first_seen);
    Ok(Parsed {
        asset: Some(asset.ok_or_else(|| nobody(&unknown))?),
        unknown,
    })
}

fn envelope(line: u64, mut row: Map<String, Value>, now: Timestamp) -> Result<Parsed, RowError> {
    let mut pairs = match row.remove(IDENTITY) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(mut said)) => identity(&mut said, "identity.")?,
        Some(_) => return Err(wrong(IDENTITY, "object")),
    };
    // An envelope without what identifies the asset: its keys are ids that sources have for it.
    let has = |pairs: &[(String, String)], field: Field| {
        pairs.iter().any(|(name, _)| name == field.name())
    };
    let keys = values(row.remove(KEYS), KEYS)?;
    if !has(&pairs, Field::ExternalId) {
        pairs.extend(
            keys.into_iter()
                .map(|key| (Field::ExternalId.name().to_owned(), key)),
        );
    }
    let host = values(row.remove(HOST), HOST)?.into_iter().next();
    if !has(&pairs, Field::HostName) {
        pairs.extend(
            host.iter()
                .map(|host| (Field::HostName.name().to_owned(), host.clone())),
        );
    }
    let body = body(row.remove(DOCUMENT), DOCUMENT)?;
    let first_seen = first_seen(row.remove(FIRST_SEEN), now)?;
    let left = match row.remove(STATE) {
        None | Some(Value::Null) => false,
        Some(Value::String(state)) => state != "active",
        Some(_) => return Err(wrong(STATE, "text")),
    };
    let unknown: Vec<String> = row
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !OF_THE_PLATFORM.contains(&name.as_str()))
        .collect();
    let asset = asset(line, pairs, host, body, first_seen).ok_or_else(|| nobody(&unknown))?;
    Ok(Parsed {
        asset: (!left).then_some(asset),
        unknown,
    })
}

/// Nothing identifies it, perhaps because a name is misspelt.
fn nobody(unknown: &[String]) -> RowError {
    let told = unknown.iter().take(MOST_UNKNOWN).map(|name| {
        let near = FIELDS
            .iter()
            .map(|(known, _)| {
                let likeness = strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
                (likeness, known)
            })
            .filter(|(likeness, _)| *likeness > NEAR)
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match near {
            Some((_, known)) => format!("; \"{name}\" says nothing here: did you mean {known}?"),
            None => format!("; \"{name}\" says nothing here"),
        }
    });
    RowError::Nobody(told.collect())
}

fn wrong(name: &str, expected: &'static str) -> RowError {
    RowError::WrongType {
        name: name.to_owned(),
        expected,
    }
}

/// Takes the fields that identify out of an object, as names and values of a document.
fn identity(row: &mut Map<String, Value>, place: &str) -> Result<Vec<(String, String)>, RowError> {
    let mut pairs = Vec::new();
    for (name, field) in FIELDS {
        for value in values(row.remove(name), &format!("{place}{name}"))? {
            pairs.push((field.name().to_owned(), value));
        }
    }
    Ok(pairs)
}

/// One text or number, or a list of them.
fn values(value: Option<Value>, name: &str) -> Result<Vec<String>, RowError> {
    let one = |value: Value| match value {
        Value::String(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Null => Ok(None),
        _ => Err(wrong(name, "text, number or list of these")),
    };
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .into_iter()
            .filter_map(|item| one(item).transpose())
            .collect(),
        Some(value) => Ok(one(value)?.into_iter().collect()),
    }
}

fn body(value: Option<Value>, name: &str) -> Result<Value, RowError> {
    match value {
        None | Some(Value::Null) => Ok(Value::Object(Map::new())),
        Some(body @ Value::Object(_)) => Ok(body),
        Some(_) => Err(wrong(name, "object")),
    }
}

fn first_seen(value: Option<Value>, now: Timestamp) -> Result<Option<Timestamp>, RowError> {
    let refused = |expected| Err(wrong(FIRST_SEEN, expected));
    let ms = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text
            .parse::<jiff::Timestamp>()
            .ok()
            .and_then(|time| u64::try_from(time.as_millisecond()).ok()),
        Some(value) => value.as_u64(),
    };
    match ms {
        None => refused("time: neither RFC 3339 nor milliseconds since 1970"),
        Some(0) => refused("time: 0 is what is not known; leave it out"),
        Some(ms) if ms < FIRST_MILLISECOND => refused(
            "time that an asset was seen at: it lies before March 1973, as seconds do where milliseconds are expected",
        ),
        Some(ms) if ms > now.as_ms().saturating_add(DAY_MS) => {
            refused("time that an asset was seen at: it lies beyond tomorrow")
        }
        Some(ms) => match Timestamp::from_ms(ms) {
            Ok(time) => Ok(Some(time)),
            Err(_) => refused("time: neither RFC 3339 nor milliseconds since 1970"),
        },
    }
}

fn asset(
    line: u64,
    pairs: Vec<(String, String)>,
    host: Option<String>,
    body: Value,
    first_seen: Option<Timestamp>,
) -> Option<ImportedAsset> {
    let known = Identity::of(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let host_name = host.or_else(|| {
        let named = pairs
            .iter()
            .find(|(name, _)| name == Field::HostName.name());
        named.map(|(_, value)| value.clone())
    });
    Some(ImportedAsset {
        line,
        key: key(&known)?,
        identity: pairs,
        host_name,
        body,
        first_seen,
    })
}

/// By what a row is known when it is imported again: its external id, or the strongest of what else it says. A host name without a domain is the last:
/// any number of machines have the same one.
fn key(known: &Identity) -> Option<String> {
    let first = |field: Field| {
        let values: BTreeSet<&str> = known.values(field).collect();
        values.into_iter().next()
    };
    if let Some(id) = first(Field::ExternalId) {
        return Some(id.to_owned());
    }
    let host = first(Field::HostName);
    if let (Some(host), Some(domain)) = (host, first(Field::Domain)) {
        return Some(format!("host-name+domain:{host}+{domain}"));
    }
    first(Field::Mac)
        .map(|mac| format!("mac:{mac}"))
        .or_else(|| first(Field::Ip).map(|ip| format!("ip:{ip}")))
        .or_else(|| host.map(|host| format!("host-name:{host}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_rfc3339("2026-03-31T12:34:56.789Z").unwrap()
    }

    fn parsed(row: &Value) -> Result<Parsed, RowError> {
        parse(7, row.to_string().as_bytes(), now())
    }

    fn asset_of(row: &Value) -> ImportedAsset {
        parsed(row).unwrap().asset.unwrap()
    }

    #[test]
    fn a_simple_row_says_who_it_is_and_what_is_known_of_it() {
        let row = parsed(&json!({
            "externalId": 17, "hostName": "SRV-1", "domain": "corp.example.com", "macAddresses": ["00-1B-44-11-3A-B7", null],
            "ipAddresses": "192.0.2.1", "asset": {"owner": "ops"}, "firstSeen": "2024-01-02T03:04:05Z", "colour": "red",
        }))
        .unwrap();
        assert_eq!(row.unknown, ["colour"]);
        let asset = row.asset.unwrap();
        assert_eq!((asset.line, asset.key.as_str()), (7, "17"));
        assert_eq!(asset.host_name.as_deref(), Some("SRV-1"));
        assert_eq!(asset.body, json!({"owner": "ops"}));
        assert_eq!(
            asset.first_seen.unwrap().to_rfc3339(),
            "2024-01-02T03:04:05.000Z"
        );
        let names: Vec<&str> = asset
            .identity
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["external-id", "host-name", "domain", "mac", "ip"]);
    }

    #[test]
    fn a_row_of_the_platform_itself_reads_back() {
        let row = json!({
            "keys": ["e-1"], "host": "srv-1", "onboardingSource": "x", "state": "active", "firstSeen": "2024-01-02T03:04:05.000Z",
            "lastSeen": "2024-01-02T03:04:05.000Z", "inactiveSince": null, "outOfScopeSince": null, "document": {"name": "srv-1"},
            "identity": {"externalId": ["e-1"], "hostName": ["srv-1"], "domain": ["corp.example.com"]},
        });
        let parsed_row = parsed(&row).unwrap();
        assert!(parsed_row.unknown.is_empty());
        let asset = parsed_row.asset.unwrap();
        assert_eq!(
            (asset.key.as_str(), asset.host_name.as_deref()),
            ("e-1", Some("srv-1"))
        );
        assert_eq!(asset.body, json!({"name": "srv-1"}));
        assert_eq!(asset.identity.len(), 3);
        let without = json!({"keys": ["e-1"], "host": "srv-1", "document": {}});
        assert_eq!(asset_of(&without).identity.len(), 2);
        let mut gone = row.clone();
        gone["state"] = json!("inactive");
        assert_eq!(parsed(&gone).unwrap().asset, None);
    }

    #[test]
    fn a_row_without_an_id_is_known_again_by_what_else_it_says() {
        for (row, key) in [
            (
                json!({"hostName": "SRV-1.", "domain": "Corp.example.com"}),
                "host-name+domain:srv-1+corp.example.com",
            ),
            (
                json!({"hostName": "srv-1", "domain": "workgroup"}),
                "host-name:srv-1",
            ),
            (
                json!({"macAddresses": ["02:42:ac:11:00:02", "00:1b:44:11:3a:b7"]}),
                "mac:00:1b:44:11:3a:b7",
            ),
            (json!({"ipAddresses": ["::ffff:192.0.2.1"]}), "ip:192.0.2.1"),
            (
                json!({"hostName": "pc1", "domain": "workgroup", "macAddresses": "00:1b:44:11:3a:b7", "ipAddresses": "192.0.2.1"}),
                "mac:00:1b:44:11:3a:b7",
            ),
            (
                json!({"hostName": "pc1", "macAddresses": "02:42:ac:11:00:02", "ipAddresses": ["127.0.0.1", "192.0.2.1"]}),
                "ip:192.0.2.1",
            ),
            (
                json!({"hostName": "pc1", "domain": "corp.example.com", "macAddresses": "00:1b:44:11:3a:b7"}),
                "host-name+domain:pc1+corp.example.com",
            ),
        ] {
            assert_eq!(asset_of(&row).key, key);
        }
    }

    #[test]
    fn a_time_between_1973_and_tomorrow_is_when_an_asset_was_first_seen() {
        for (said, time) in [
            (json!(100_000_000_000_u64), "1973-03-03T09:46:40.000Z"),
            (
                json!("2026-04-01T12:34:56+00:00"),
                "2026-04-01T12:34:56.000Z",
            ),
        ] {
            let asset = asset_of(&json!({"externalId": "a", "firstSeen": said}));
            assert_eq!(asset.first_seen.unwrap().to_rfc3339(), time);
        }
        let unknown = asset_of(&json!({"externalId": "a", "firstSeen": null}));
        assert_eq!(unknown.first_seen, None);
    }

    #[test]
    fn a_bad_row_says_what_is_wrong_with_it() {
        for (row, says) in [
            (json!([]), "no JSON object"),
            (json!({}), "nothing in it identifies"),
            (
                json!({"hostName": "localhost", "ipAddresses": ["127.0.0.1"]}),
                "nothing in it identifies",
            ),
            (
                json!({"domain": "corp.example.com"}),
                "nothing in it identifies",
            ),
            (json!({"hostName": {}}), "\"hostName\" is no text"),
            (
                json!({"externalId": "a", "asset": 7}),
                "\"asset\" is no object",
            ),
            (
                json!({"externalId": "a", "firstSeen": "yesterday"}),
                "\"firstSeen\" is no time",
            ),
            (
                json!({"externalId": "a", "firstSeen": 0}),
                "0 is what is not known",
            ),
            (
                json!({"externalId": "a", "firstSeen": 1_704_164_645}),
                "as seconds do",
            ),
            (
                json!({"externalId": "a", "firstSeen": "1970-01-01T00:00:00.001Z"}),
                "before March 1973",
            ),
            (
                json!({"externalId": "a", "firstSeen": "2026-04-01T12:34:57Z"}),
                "beyond tomorrow",
            ),
            (
                json!({"externalId": "a", "firstSeen": 4_090_000_000_000_u64}),
                "beyond tomorrow",
            ),
            (
                json!({"hostname": "pc1", "fqdn": "pc1.example.com"}),
                "\"hostname\" says nothing here: did you mean hostName?",
            ),
            (
                json!({"fqdn": "pc1.example.com", "asset": {}}),
                "\"fqdn\" says nothing here",
            ),
            (
                json!({"document": {}, "identity": 7}),
                "\"identity\" is no object",
            ),
        ] {
            let error = parsed(&row).unwrap_err().to_string();
            assert!(error.contains(says), "{row}: {error}");
        }
        assert!(
            parse(1, b"{", now())
                .unwrap_err()
                .to_string()
                .contains("no JSON")
        );
    }
}
