//! A case: a tenant, a configuration, and what goes wrong.

use crate::draw::Draw;
use cortex_xdr_simulator::{AlertShape, Chaos, ChaosProfile, Options, SecurityLevel, StreamGzip};
use serde_json::{Value, json};

/// Some of the tags that the simulator gives.
pub const TAGS: [&str; 5] = ["production", "staging", "pci", "finance", "laptop"];
const SOURCES: [&str; 6] = [
    "XDR BIOC",
    "XDR IOC",
    "XDR Agent",
    "XDR Analytics",
    "PAN NGFW",
    "Correlation",
];
const STATUSES: [&str; 4] = ["connected", "disconnected", "lost", "uninstalled"];

const PROFILES: &[ChaosProfile] = ChaosProfile::ALL;

/// All that a case begins with.
pub struct Case {
    pub options: Options,
    pub config: Value,
    pub streams: Vec<&'static str>,
    pub chaos: Chaos,
}

impl Case {
    pub fn draw(draw: &mut Draw) -> Self {
        let streams = streams(draw);
        let vulnerabilities = streams.contains(&"vulnerabilities");
        // Most tenants take several pages of 100; some take none, and some exactly fill theirs.
        let size = |draw: &mut Draw, most: usize| match draw.between(0, 10) {
            0 => draw.between(0, 3),
            1 => 100,
            2 => 200,
            3 => 99 + draw.between(0, 3),
            _ => draw.between(0, most),
        };
        let endpoints = size(draw, 400).max(usize::from(vulnerabilities) * 20);
        let options = Options {
            endpoints,
            alerts: size(draw, 600),
            cves: draw.between(1, 40),
            seed: draw.next(),
            heartbeat: draw.percent(50),
            // An Advanced key's signatures are held to a clock that the case moves.
            security_level: SecurityLevel::Standard,
            alert_shape: *draw.one_of(&[
                AlertShape::Events,
                AlertShape::Flat,
                AlertShape::Columnar,
            ]),
            xql_licence_quota: Some(1e9),
            xql_stream_gzip: *draw.one_of(&[
                StreamGzip::AsAsked,
                StreamGzip::None,
                StreamGzip::Once,
                StreamGzip::Twice,
            ]),
            xql_pending_polls: 0,
            gzip: draw.percent(50),
            ..Options::default()
        };
        let config = config(draw, &streams);
        let profile = *draw.one_of(PROFILES);
        let mut chaos = Chaos::new(draw.next()).profile(profile);
        if draw.percent(60) {
            // Whatever goes wrong, the tenant changes meanwhile.
            chaos = Chaos::new(draw.next())
                .profile(ChaosProfile::Living)
                .profile(profile);
        }
        // The runner waits for a moment at most: what asks for a second ends a run.
        chaos.retry_after = u32::from(draw.percent(50));
        Self {
            options,
            config,
            streams,
            chaos,
        }
    }
}

fn streams(draw: &mut Draw) -> Vec<&'static str> {
    match draw.between(0, 10) {
        0 => vec!["endpoints"],
        1 => vec!["alerts"],
        2 | 3 => vec!["endpoints", "vulnerabilities"],
        4 => vec!["endpoints", "alerts", "vulnerabilities"],
        _ => vec!["endpoints", "alerts"],
    }
}

fn config(draw: &mut Draw, streams: &[&str]) -> Value {
    let mut config = json!({
        "dataStreams": streams,
        "autoOnboardAssets": draw.percent(85),
        "updateExistingAssets": draw.percent(70),
        "alertSources": draw.some_of(&SOURCES),
    });
    if draw.percent(40) {
        config["tags"] = json!(draw.some_of(&TAGS));
    }
    if draw.percent(40) {
        config["alertStatuses"] = json!(draw.some_of(&["New", "Under Investigation"]));
    }
    if draw.percent(40) {
        config["endpointStatuses"] = json!(draw.some_of(&STATUSES));
    }
    config
}
