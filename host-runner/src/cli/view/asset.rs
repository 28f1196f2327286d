//! Assets in a table. Each target model has its own places for what people look for first; they are tried in turn.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::Table;
use crate::domain::Timestamp;
use crate::identification::{Field, Sources};
use crate::store::{Asset, AssetState};

/// Where the models keep an operating system's name.
const SYSTEM: [&str; 4] = [
    "/operatingSystem/name",
    "/operatingSystem",
    "/os/name",
    "/device/os/name",
];
/// Where the models keep what kind of asset it is.
const KIND: [&str; 2] = ["/type", "/device/type"];
/// Where the models keep lists of addresses, or of interfaces with addresses.
const ADDRESSES: [&str; 3] = [
    "/ipAddresses",
    "/networkInterfaces",
    "/device/network_interfaces",
];
/// What an address is called in an interface.
const ADDRESS: [&str; 4] = ["ipAddress", "ip", "ipv4Address", "ipv6Address"];

/// The table's columns, and those that tell how an asset stands.
const STANDING: [&str; 2] = ["STATE", "SINCE"];
const COLUMNS: [&str; 6] = [
    "HOST",
    "OS",
    "TYPE",
    ">IPS",
    "ONBOARDING SOURCE",
    "LAST SEEN",
];

/// An empty table of assets, with how each stands where that is asked for.
pub fn table(standing: bool) -> Table {
    let more: &[&str] = if standing { &STANDING } else { &[] };
    Table::new(&[&COLUMNS, more].concat())
}

/// Adds an asset.
pub fn row(table: &mut Table, asset: &Asset, standing: bool, now: Timestamp) {
    let mut cells = vec![
        host(asset),
        first(&asset.body, &SYSTEM),
        first(&asset.body, &KIND),
        addresses(&asset.body).to_string(),
        asset.onboarding_source.clone().unwrap_or_default(),
        human::relative(now, asset.last_seen),
    ];
    if standing {
        let since = asset.closed_at.unwrap_or(asset.first_seen);
        cells.extend([state(asset).to_owned(), human::relative(now, since)]);
    }
    table.row(cells);
}

/// How it stands, in a word.
fn state(asset: &Asset) -> &'static str {
    match asset.state {
        AssetState::Active => "active",
        AssetState::Inactive => "inactive",
        AssetState::OutOfScope => "out-of-scope",
    }
}

/// An asset as JSON, with all that the platform itself knows of it.
pub fn history(asset: &Asset) -> Value {
    let closed = |state| {
        asset
            .closed_at
            .filter(|_| asset.state == state)
            .map(|time| time.to_rfc3339())
    };
    json!({
        "keys": asset.keys.iter().map(|(_, key)| key).collect::<Vec<_>>(),
        "host": asset.host_name,
        "onboardingSource": asset.onboarding_source,
        "identity": identity(&asset.identity),
        "state": state(asset),
        "firstSeen": asset.first_seen.to_rfc3339(),
        "lastSeen": asset.last_seen.to_rfc3339(),
        "inactiveSince": closed(AssetState::Inactive),
        "outOfScopeSince": closed(AssetState::OutOfScope),
        "document": asset.body,
    })
}

/// What identifies an asset, each value once, by the names that an import takes.
fn identity(sources: &Sources) -> Value {
    const NAMES: [(&str, Field); 5] = [
        ("externalId", Field::ExternalId),
        ("hostName", Field::HostName),
        ("domain", Field::Domain),
        ("macAddresses", Field::Mac),
        ("ipAddresses", Field::Ip),
    ];
    let values = |field: Field| -> BTreeSet<&str> {
        let said = sources.iter().filter(|said| said.0 == field.name());
        said.map(|said| said.1.as_str()).collect()
    };
    NAMES
        .into_iter()
        .map(|(name, field)| (name, values(field)))
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name.to_owned(), json!(values)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn host(asset: &Asset) -> String {
    let key = || asset.keys.first().map(|(_, key)| key.as_str());
    human::shortened(
        asset
            .host_name
            .as_deref()
            .or(asset.title.as_deref())
            .or_else(key)
            .unwrap_or_default(),
        48,
    )
}

fn first(body: &Value, places: &[&str]) -> String {
    let text = places
        .iter()
        .find_map(|place| body.pointer(place).and_then(Value::as_str))
        .unwrap_or_default();
    human::shortened(text, 32)
}

/// How many addresses it has, whatever the model keeps them in.
fn addresses(body: &Value) -> usize {
    let list = ADDRESSES
        .iter()
        .find_map(|place| body.pointer(place).and_then(Value::as_array));
    list.into_iter()
        .flatten()
        .filter(|item| {
            item.is_string()
                || ADDRESS
                    .iter()
                    .any(|name| item.get(name).is_some_and(Value::is_string))
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ConnectionId;

    fn asset(body: Value) -> Asset {
        Asset {
            id: 1,
            keys: vec![(ConnectionId(1), "e-1".to_owned())],
            state: AssetState::Active,
            created_by: None,
            onboarding_source: Some("example.source".to_owned()),
            host_name: Some("srv-db-1".to_owned()),
            title: None,
            facets: Vec::new(),
            identity: Sources::default(),
            first_seen: Timestamp::from_ms(1_000).unwrap(),
            last_seen: Timestamp::from_ms(1_000).unwrap(),
            closed_at: None,
            body,
        }
    }

    #[test]
    fn assets_of_each_model_fill_the_same_columns() {
        let now = Timestamp::from_ms(7_201_000).unwrap();
        let mut table = table(false);
        for body in [
            json!({"operatingSystem": {"name": "Ubuntu"}, "type": "SERVER", "networkInterfaces": [{"ipAddress": "192.0.2.1"}, {"macAddress": "m"}]}),
            json!({"operatingSystem": "Windows 11", "type": "Workstation", "ipAddresses": ["192.0.2.2", "192.0.2.3"]}),
            json!({"operatingSystem": 7, "ipAddresses": "odd"}),
        ] {
            row(&mut table, &asset(body), false, now);
        }
        insta::assert_snapshot!(table.render());
    }

    #[test]
    fn an_asset_that_is_out_of_scope_is_not_called_inactive() {
        let now = Timestamp::from_ms(7_201_000).unwrap();
        let out = Asset {
            state: AssetState::OutOfScope,
            closed_at: Some(Timestamp::from_ms(3_601_000).unwrap()),
            ..asset(json!({}))
        };
        let mut table = table(true);
        row(&mut table, &out, true, now);
        assert!(table.render().contains("out-of-scope"));
        let history = history(&out);
        assert_eq!(history["inactiveSince"], Value::Null);
        assert_eq!(history["outOfScopeSince"], "1970-01-01T01:00:01.000Z");
    }
}
