//! The manifest, put together from what the connector is.

use super::{Call, config_schema, source_schema};
use crate::configure::{DataStream, ORIGIN};
use crate::contract::{self, Manifest, OriginRule, TransformMap, http};
use crate::transform;

/// The connector's name in the marketplace; the same in every version.
pub const NAME: &str = "cortex-xdr";

/// Semantic version of the connector.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether `sync` can read only what changed of a data stream. The one place that says so: the card promises no more than the streams
/// keep, and `sync` refuses what is not promised.
pub fn incremental(stream: DataStream) -> bool {
    match stream {
        DataStream::Endpoints | DataStream::Alerts | DataStream::Vulnerabilities => true,
    }
}

/// Hosts of Cortex XDR tenants, with and without a region, under both product names. Other hosts go through the rules for the
/// fields: they are taken as the user typed them.
const ORIGIN_PATTERNS: [&str; 4] = [
    "https://api-*.xdr.*.paloaltonetworks.com",
    "https://api-*.xdr.paloaltonetworks.com",
    "https://api-*.crtx.*.paloaltonetworks.com",
    "https://api-*.crtx.paloaltonetworks.com",
];

/// Both spellings of the field with the base URL.
const ORIGIN_FIELDS: [&str; 2] = ["/baseUrl", "/baseURL"];

/// The connector's card: the contract's `describe`.
pub fn manifest() -> Manifest {
    Manifest {
        name: NAME.to_owned(),
        title: "Palo Alto Networks Cortex XDR".to_owned(),
        version: VERSION.to_owned(),
        vendor: "Palo Alto Networks".to_owned(),
        product: "Cortex XDR".to_owned(),
        category: "Endpoint Security".to_owned(),
        details: details(),
        setup: include_str!("setup.md").to_owned(),
        config_schema: config_schema().to_vec(),
        origins: vec![(ORIGIN.to_owned(), origin_rules())],
        calls: Call::ALL.into_iter().map(call).collect(),
        budgets: vec![contract::Budget {
            // Over all calls of a tenant together. Not in the vendor's reference; several connectors hold to it.
            requests: 10,
            seconds: 1,
            calls: Vec::new(),
        }],
        data_streams: DataStream::ALL.into_iter().map(data_stream).collect(),
        maps: maps(),
    }
}

/// Further rows of the card.
fn details() -> Vec<(String, String)> {
    let supported: Vec<&str> = DataStream::ALL
        .into_iter()
        .filter(|stream| incremental(*stream))
        .map(DataStream::name)
        .collect();
    let incremental = if supported.is_empty() {
        "Not supported".to_owned()
    } else {
        format!("Supported ({})", supported.join(", "))
    };
    [
        ("Asset Types Supported", "Host Assets (Compute)"),
        ("Finding Types Supported", "Alerts, Vulnerabilities"),
        ("Supported Version & Type", "SaaS (Latest)"),
        ("Integration Method", "API Integration (REST)"),
        ("Direction", "Unidirectional (from Cortex XDR)"),
        ("Incremental Sync (Delta)", &incremental),
        (
            "Licences, one of",
            "Cortex XDR Prevent, Cortex XDR Pro per Endpoint, Cortex XDR Pro per GB",
        ),
        (
            "Licence for vulnerabilities",
            "Cortex XDR Pro per Endpoint with the Host Insights add-on",
        ),
        ("API key role", "Viewer (read-only)"),
        (
            "API key security level",
            "Advanced (recommended) or Standard",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn origin_rules() -> Vec<OriginRule> {
    let patterns = ORIGIN_PATTERNS
        .into_iter()
        .map(|pattern| OriginRule::Pattern(pattern.to_owned()));
    let fields = ORIGIN_FIELDS
        .into_iter()
        .map(|pointer| OriginRule::Field(pointer.to_owned()));
    patterns.chain(fields).collect()
}

fn call(call: Call) -> contract::Call {
    contract::Call {
        name: call.name().to_owned(),
        origin: ORIGIN.to_owned(),
        method: if call.method() == ::http::Method::GET {
            http::Method::Get
        } else {
            http::Method::Post
        },
        path: call.path().to_owned(),
        permission: call.permission().to_owned(),
        licence: call.licence().map(str::to_owned),
        data_streams: call
            .data_streams()
            .iter()
            .map(|stream| stream.name().to_owned())
            .collect(),
        changes: false,
    }
}

fn data_stream(stream: DataStream) -> contract::DataStream {
    let title = match stream {
        DataStream::Endpoints => "Endpoints",
        DataStream::Alerts => "Alerts",
        DataStream::Vulnerabilities => "Vulnerabilities of endpoints",
    };
    contract::DataStream {
        name: stream.name().to_owned(),
        title: title.to_owned(),
        schema: source_schema(stream).into_owned(),
        incremental: incremental(stream),
    }
}

/// The transform maps that come with the connector.
fn maps() -> Vec<TransformMap> {
    transform::bundled()
        .iter()
        .map(|map| TransformMap {
            name: map.name.to_owned(),
            data_stream: map.data_stream.to_owned(),
            target: map.target.to_owned(),
            body: map.body.as_bytes().to_vec(),
        })
        .collect()
}
