//! The maps that come with the connector.

use crate::compact::compact_json;

/// A map that comes with the connector, for one data stream. One file may serve several streams: it is then listed for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundledMap {
    /// Unique together with the data stream.
    pub name: &'static str,
    /// The data stream whose records it takes.
    pub data_stream: &'static str,
    /// The host's name for the target model.
    pub target: &'static str,
    /// The map itself, as [`super::prepare`] takes it.
    pub body: &'static str,
}

const SAFE: &str = text(compact_json!("../../maps/safe.json"));
const SAFE_ALERTS: &str = text(compact_json!("../../maps/safe-alerts.json"));
const QUALYS: &str = text(compact_json!("../../maps/qualys-etm.json"));
const SCOPED: &str = text(compact_json!("../../maps/qualys-etm-scoped.json"));
const SCOPED_ALERTS: &str = text(compact_json!("../../maps/qualys-etm-scoped-alerts.json"));
const OCSF: &str = text(compact_json!("../../maps/ocsf.json"));
const OCSF_ALERTS: &str = text(compact_json!("../../maps/ocsf-alerts.json"));

/// A file as text; one that is none would be an empty map, which does not load.
const fn text(file: &'static [u8]) -> &'static str {
    match std::str::from_utf8(file) {
        Ok(text) => text,
        Err(_) => "",
    }
}

const fn map(
    name: &'static str,
    data_stream: &'static str,
    target: &'static str,
    body: &'static str,
) -> BundledMap {
    BundledMap {
        name,
        data_stream,
        target,
        body,
    }
}

const BUNDLED: [BundledMap; 11] = [
    map("safe", "endpoints", "safe", SAFE),
    map("safe", "alerts", "safe", SAFE_ALERTS),
    map("safe", "vulnerabilities", "safe", SAFE),
    map("qualys-etm", "endpoints", "qualys-etm", QUALYS),
    map("qualys-etm", "vulnerabilities", "qualys-etm", QUALYS),
    map("qualys-etm-scoped", "endpoints", "qualys-etm", SCOPED),
    map("qualys-etm-scoped", "alerts", "qualys-etm", SCOPED_ALERTS),
    map("qualys-etm-scoped", "vulnerabilities", "qualys-etm", SCOPED),
    map("ocsf", "endpoints", "ocsf", OCSF),
    map("ocsf", "alerts", "ocsf", OCSF_ALERTS),
    map("ocsf", "vulnerabilities", "ocsf", OCSF),
];

/// The bundled maps. The order matters: a host takes the first target that has a map for every chosen data stream.
pub fn bundled() -> &'static [BundledMap] {
    &BUNDLED
}
