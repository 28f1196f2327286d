//! Reads the settings, field by field; what is absent takes its default.

use super::base_url;
use super::choice::{find, shown, take_choices};
use super::document::{
    ALERT_SOURCES, ALERT_STATUSES, API_KEY, API_KEY_ID, AUTO_ONBOARD_ASSETS, BASE_URL,
    DATA_STREAMS, Document, ENDPOINT_STATUSES, ENDPOINT_SWEEP_HOURS, FULL_SYNC_EVERY_DAYS, Field,
    SECURITY_LEVEL, TAGS, Taken, UPDATE_EXISTING_ASSETS, XQL_DAILY_SHARE,
};
use super::nearest::{bare, nearest};
use super::{AlertStatus, DataStream, SecurityLevel, Settings};
use crate::contract::Problem;
use crate::json_text::json_text;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// What is read where nothing is chosen. Vulnerabilities cost XQL quota and need an add-on: on request only.
const DEFAULT_DATA_STREAMS: [DataStream; 2] = [DataStream::Endpoints, DataStream::Alerts];

/// What an analyst's own rules find.
const DEFAULT_ALERT_SOURCES: [&str; 2] = ["XDR BIOC", "XDR IOC"];

/// The states that the filter `endpoint_status` takes.
pub const ENDPOINT_STATES: [&str; 4] = ["connected", "disconnected", "lost", "uninstalled"];

/// All but those whose agent was removed.
const DEFAULT_ENDPOINT_STATES: [&str; 3] = ["connected", "disconnected", "lost"];

const DEFAULT_FULL_SYNC_EVERY_DAYS: u16 = 7;

/// Up to a year: what only a full sync can close would stay open for longer than any audit period.
const DAYS_BETWEEN_FULL_SYNCS: RangeInclusive<u16> = 1..=365;

const DEFAULT_ENDPOINT_SWEEP_HOURS: u16 = 24;

/// From a sweep in each incremental sync to one in a year.
const HOURS_BETWEEN_SWEEPS: RangeInclusive<u16> = 0..=8_760;

const DEFAULT_XQL_DAILY_SHARE: f64 = 0.5;

/// IDs of keys are short numbers; the keys themselves have 128 characters.
const LONGEST_KEY_ID: usize = 32;

/// Display names of alert sources that the vendor documents. Others exist (alerts of third parties bear "vendor -
/// product"), so an unknown one is accepted.
pub const KNOWN_ALERT_SOURCES: [&str; 22] = [
    "XDR Agent",
    "XDR Analytics",
    "XDR Analytics BIOC",
    "XDR BIOC",
    "XDR IOC",
    "XDR Managed Threat Hunting",
    "PAN NGFW",
    "Threat Intelligence",
    "Correlation",
    "Prisma Cloud",
    "Prisma Cloud Compute",
    "ASM",
    "IoT Security",
    "Custom Alert",
    "Custom Issue",
    "Health",
    "SaaS Attachments",
    "Attack Path",
    "Posture Policy",
    "Vulnerability Policy",
    "DLP",
    "Graph Engine",
];

/// Settings, and what is worth telling about them.
#[derive(Debug)]
pub struct Read {
    pub settings: Settings,
    pub warnings: Vec<Problem>,
}

/// Reads a configuration. `more` adds what it finds wrong, so that all problems are told together.
pub fn read(config: &[u8], more: impl FnOnce(&mut Document)) -> Result<Read, Vec<Problem>> {
    let mut document = Document::parse(config).map_err(|problem| vec![problem])?;
    let document = &mut document;

    let origin = origin(document);
    let api_key_id = api_key_id(document);
    refuse_api_key(document);
    let security_level = security_level(document);
    let data_streams = take_choices(
        document,
        DATA_STREAMS,
        &DataStream::ALL,
        DataStream::name,
        &DEFAULT_DATA_STREAMS,
    );
    let tags = texts(document.take_list(TAGS).unwrap_or_default());
    let alert_sources = alert_sources(document);
    let alert_statuses = take_choices(
        document,
        ALERT_STATUSES,
        &AlertStatus::ALL,
        AlertStatus::name,
        &AlertStatus::ALL,
    );
    let endpoint_statuses = take_choices(
        document,
        ENDPOINT_STATUSES,
        &ENDPOINT_STATES,
        |state| state,
        &DEFAULT_ENDPOINT_STATES,
    );
    let update_existing_assets = document.take_bool(UPDATE_EXISTING_ASSETS);
    let auto_onboard_assets = document.take_bool(AUTO_ONBOARD_ASSETS);
    let full_sync_every_days = number(
        document,
        FULL_SYNC_EVERY_DAYS,
        "days",
        DAYS_BETWEEN_FULL_SYNCS,
        DEFAULT_FULL_SYNC_EVERY_DAYS,
    );
    let endpoint_sweep_hours = number(
        document,
        ENDPOINT_SWEEP_HOURS,
        "hours",
        HOURS_BETWEEN_SWEEPS,
        DEFAULT_ENDPOINT_SWEEP_HOURS,
    );
    let xql_daily_share = xql_daily_share(document);
    document.refuse_rest();
    more(document);

    if !document.problems.is_empty() {
        return Err(std::mem::take(&mut document.problems));
    }
    // Both are there where no problem is; were they not, that would be told rather than passed over.
    let (Some(origin), Some(api_key_id)) = (origin, api_key_id) else {
        return Err(vec![super::document::problem(
            "",
            "baseUrl and apiKeyId are required",
        )]);
    };
    Ok(Read {
        settings: Settings {
            origin,
            api_key_id,
            security_level,
            tags,
            data_streams: set(data_streams),
            alert_sources,
            alert_statuses: set(alert_statuses),
            endpoint_statuses: set(endpoint_statuses.into_iter().map(str::to_owned)),
            update_existing_assets,
            auto_onboard_assets,
            full_sync_every_days,
            endpoint_sweep_hours,
            xql_daily_share,
        },
        warnings: std::mem::take(&mut document.warnings),
    })
}

fn origin(document: &mut Document) -> Option<String> {
    let before = document.problems.len();
    let Some((pointer, text)) = document.take_text(BASE_URL) else {
        refuse_missing(
            document,
            before,
            BASE_URL,
            "the API URL of your tenant, such as https://api-mycompany.xdr.us.paloaltonetworks.com",
        );
        return None;
    };
    match base_url::normalise(&text) {
        Ok(found) => {
            for warning in found.warnings {
                document.warn(&pointer, warning);
            }
            Some(found.origin)
        }
        Err(why) => {
            document.refuse(&pointer, why);
            None
        }
    }
}

fn api_key_id(document: &mut Document) -> Option<String> {
    const WHAT: &str = "the ID from the table of API keys in the console, such as \"7\"";
    let Some(Taken { pointer, value }) = document.take(API_KEY_ID) else {
        refuse_missing(document, document.problems.len(), API_KEY_ID, WHAT);
        return None;
    };
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        // The console shows a number, so people write one.
        Value::Number(number) if number.is_u64() => number.to_string(),
        other => {
            document.refuse_kind(&pointer, &other, WHAT);
            return None;
        }
    };
    let why = if text.is_empty() {
        "is empty"
    } else if text.len() > LONGEST_KEY_ID {
        "is too long for an ID; if it is the API key itself, hand that over as the secret apiKey"
    } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
        "has a blank or a letter that no ID has"
    } else {
        return Some(text);
    };
    document.refuse(&pointer, format!("{why}: it must be {WHAT}"));
    None
}

/// The key is a secret: the host keeps it and takes it out before the connector sees the configuration. Where it stands here, a
/// host or a person made a mistake; its value is not repeated.
fn refuse_api_key(document: &mut Document) {
    let Some(Taken { pointer, value }) = document.take(API_KEY) else {
        return;
    };
    // What a form leaves behind where the secret was taken out.
    if value.as_str() != Some("") {
        document.refuse(
            &pointer,
            "is a secret and must not stand in the configuration: hand it over as a secret (--secret apiKey=env:VARIABLE on the command line), \
             and replace the key if the configuration was stored or shared",
        );
    }
}

fn security_level(document: &mut Document) -> SecurityLevel {
    let Some((pointer, text)) = document.take_text(SECURITY_LEVEL) else {
        return SecurityLevel::Advanced;
    };
    match find(&text, &SecurityLevel::ALL, SecurityLevel::name) {
        Some(level) => level,
        None if text.is_empty() => SecurityLevel::Advanced,
        None => {
            document.refuse(
                &pointer,
                format!(
                    "is {}; it must be advanced or standard, as the console shows it for the key",
                    shown(&text)
                ),
            );
            SecurityLevel::Advanced
        }
    }
}

fn alert_sources(document: &mut Document) -> BTreeSet<String> {
    let before = document.problems.len();
    let Some(items) = document.take_list(ALERT_SOURCES) else {
        return DEFAULT_ALERT_SOURCES.map(str::to_owned).into();
    };
    if items.is_empty() && document.problems.len() == before {
        document.refuse(
            "/alertSources",
            "is empty, so that no alert would be read: name at least one, such as XDR BIOC, or leave it out",
        );
    }
    let mut sources = BTreeSet::new();
    for (pointer, text) in items {
        let known = KNOWN_ALERT_SOURCES
            .into_iter()
            .find(|known| bare(known) == bare(&text));
        if let Some(known) = known {
            sources.insert(known.to_owned());
            continue;
        }
        let hint = match nearest(&text, KNOWN_ALERT_SOURCES) {
            Some(close) => format!("; did you mean {close}?"),
            None => String::new(),
        };
        document.warn(
            &pointer,
            format!(
                "{} is no alert source that the vendor documents; it is asked for as it stands{hint}",
                shown(&text)
            ),
        );
        sources.insert(text);
    }
    sources
}

/// A whole number of some unit within bounds.
fn number(
    document: &mut Document,
    field: Field,
    unit: &str,
    bounds: RangeInclusive<u16>,
    default: u16,
) -> u16 {
    let Some(Taken { pointer, value }) = document.take(field) else {
        return default;
    };
    let wanted = format!(
        "a whole number of {unit} from {} to {}",
        bounds.start(),
        bounds.end()
    );
    let number = match &value {
        Value::Number(number) => number.as_u64(),
        other => {
            document.refuse_kind(&pointer, other, &wanted);
            return default;
        }
    };
    match number.and_then(|number| u16::try_from(number).ok()) {
        Some(number) if bounds.contains(&number) => number,
        _ => {
            document.refuse(
                &pointer,
                format!("is {}; it must be {wanted}", json_text(&value)),
            );
            default
        }
    }
}

fn xql_daily_share(document: &mut Document) -> f64 {
    let Some(Taken { pointer, value }) = document.take(XQL_DAILY_SHARE) else {
        return DEFAULT_XQL_DAILY_SHARE;
    };
    let wanted = "a number above 0 and at most 1, such as 0.5 for half of the day's quota";
    let Value::Number(number) = &value else {
        document.refuse_kind(&pointer, &value, wanted);
        return DEFAULT_XQL_DAILY_SHARE;
    };
    match number.as_f64() {
        Some(share) if share > 0.0 && share <= 1.0 => share,
        _ => {
            document.refuse(&pointer, format!("is {number}; it must be {wanted}"));
            DEFAULT_XQL_DAILY_SHARE
        }
    }
}

/// Says that a required field is missing, unless taking it has already said what is wrong with it.
fn refuse_missing(document: &mut Document, problems_before: usize, field: Field, what: &str) {
    if document.problems.len() == problems_before {
        document.refuse(
            &format!("/{}", field.name),
            format!("is missing: it is {what}"),
        );
    }
}

fn texts(items: Vec<(String, String)>) -> BTreeSet<String> {
    set(items.into_iter().map(|(_, text)| text))
}

/// The items as a set, put in one by one: collecting them would bring a sort for each type into the component, some 6 kB.
fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}
