//! The maps that come with the connector.

use crate::bundle::file;
use std::sync::OnceLock;

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

/// Name, data stream, target and file of each.
const BUNDLED: [(&str, &str, &str, &str); 11] = [
    ("safe", "endpoints", "safe", SAFE),
    ("safe", "alerts", "safe", "maps/safe-alerts.json"),
    ("safe", "vulnerabilities", "safe", SAFE),
    ("qualys-etm", "endpoints", "qualys-etm", QUALYS),
    ("qualys-etm", "vulnerabilities", "qualys-etm", QUALYS),
    ("qualys-etm-scoped", "endpoints", "qualys-etm", SCOPED),
    (
        "qualys-etm-scoped",
        "alerts",
        "qualys-etm",
        "maps/qualys-etm-scoped-alerts.json",
    ),
    ("qualys-etm-scoped", "vulnerabilities", "qualys-etm", SCOPED),
    ("ocsf", "endpoints", "ocsf", OCSF),
    ("ocsf", "alerts", "ocsf", "maps/ocsf-alerts.json"),
    ("ocsf", "vulnerabilities", "ocsf", OCSF),
];

const SAFE: &str = "maps/safe.json";
const QUALYS: &str = "maps/qualys-etm.json";
const SCOPED: &str = "maps/qualys-etm-scoped.json";
const OCSF: &str = "maps/ocsf.json";

/// The bundled maps. The order matters: a host takes the first target that has a map for every chosen data stream.
pub fn bundled() -> &'static [BundledMap] {
    static MAPS: OnceLock<[BundledMap; 11]> = OnceLock::new();
    MAPS.get_or_init(|| {
        BUNDLED.map(|(name, data_stream, target, path)| BundledMap {
            name,
            data_stream,
            target,
            body: file(path),
        })
    })
}
