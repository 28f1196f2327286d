//! Assets in a table. Each target model has its own places for what people look for first; they are tried in turn.

use serde_json::Value;

use crate::cli::human;
use crate::cli::table::Table;
use crate::domain::Timestamp;
use crate::store::Asset;

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

/// The table's columns.
const COLUMNS: [&str; 6] = [
    "HOST",
    "OS",
    "TYPE",
    ">IPS",
    "ONBOARDING SOURCE",
    "LAST SEEN",
];

/// An empty table of assets.
pub fn table() -> Table {
    Table::new(&COLUMNS)
}

/// Adds an asset.
pub fn row(table: &mut Table, asset: &Asset, now: Timestamp) {
    table.row([
        host(asset),
        first(&asset.body, &SYSTEM),
        first(&asset.body, &KIND),
        addresses(&asset.body).to_string(),
        asset.onboarding_source.clone().unwrap_or_default(),
        human::relative(now, asset.last_seen),
    ]);
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
    use serde_json::json;

    use super::*;
    use crate::domain::ConnectionId;
    use crate::store::AssetState;

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
            first_seen: Timestamp::from_ms(1_000).unwrap(),
            last_seen: Timestamp::from_ms(1_000).unwrap(),
            closed_at: None,
            body,
        }
    }

    #[test]
    fn assets_of_each_model_fill_the_same_columns() {
        let now = Timestamp::from_ms(7_201_000).unwrap();
        let mut table = table();
        for body in [
            json!({"operatingSystem": {"name": "Ubuntu"}, "type": "SERVER", "networkInterfaces": [{"ipAddress": "192.0.2.1"}, {"macAddress": "m"}]}),
            json!({"operatingSystem": "Windows 11", "type": "Workstation", "ipAddresses": ["192.0.2.2", "192.0.2.3"]}),
            json!({"operatingSystem": 7, "ipAddresses": "odd"}),
        ] {
            row(&mut table, &asset(body), now);
        }
        insta::assert_snapshot!(table.render());
    }
}
